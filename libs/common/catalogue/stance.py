"""How a garment stands in its photo, by its landmarks: the line to align by, its slant and its size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from libs.common.contracts.inference import Landmarks
from libs.common.contracts.options import GarmentChoice

Point = tuple[float, float]

LONG = 2.2
"""Length over shoulder width from which a garment with shoulders is a full one: a dress, a long coat."""


class Kind(StrEnum):
    """What part of the body a garment dresses."""

    UPPER = "upper"
    FULL = "full"
    LOWER = "lower"


@dataclass(frozen=True, slots=True)
class Stance:
    """The line of the shoulders, or of a lower garment's waist, in px of the photo.

    `middle` is x, y; `slant` the degrees that it is turned clockwise, as far as its hem is too: one line may
    be a pose or a cut; `width` from end to end; `length` from its middle to the hem's, None without one.
    """

    kind: Kind
    middle: Point
    slant: float
    width: float
    length: float | None


def stance_of(landmarks: Landmarks, garment: GarmentChoice = GarmentChoice.AUTO) -> Stance | None:
    """The stance of a garment, or None where its line was not found."""
    shoulders = _line(landmarks.left_shoulder, landmarks.right_shoulder)
    lower = garment is GarmentChoice.BOTTOM or (shoulders is None and _may_be_lower(landmarks, garment))
    line = _line(landmarks.left_waist, landmarks.right_waist) if lower else shoulders
    if line is None:
        return None
    middle, width = _middle(line), math.dist(*line)
    hem = _line(landmarks.left_hem, landmarks.right_hem)
    length = math.dist(middle, _middle(hem)) if hem else 0.0
    kind = Kind.LOWER if lower else _kind(garment, length / width)
    return Stance(kind, middle, _agreed(_slant(line), _slant(hem or line)), width, length or None)


def _may_be_lower(landmarks: Landmarks, garment: GarmentChoice) -> bool:
    return landmarks.neck is None and garment in (GarmentChoice.AUTO, GarmentChoice.ALL)


def _kind(garment: GarmentChoice, slenderness: float) -> Kind:
    if garment in (GarmentChoice.TOP, GarmentChoice.OUTERWEAR):
        return Kind.UPPER
    return Kind.FULL if garment is GarmentChoice.DRESS or slenderness > LONG else Kind.UPPER


def _agreed(one: float, other: float) -> float:
    """The smaller of two angles to the same side, else none."""
    return min(one, other, key=abs) if one * other > 0 else 0.0


def _slant(line: tuple[Point, Point]) -> float:
    return math.degrees(math.atan2(line[1][1] - line[0][1], line[1][0] - line[0][0]))


def _line(one: Point | None, other: Point | None) -> tuple[Point, Point] | None:
    """Its ends from the picture's left to right, whichever side of the wearer they are."""
    if one is None or other is None or one[0] == other[0]:
        return None
    left, right = sorted((one, other))
    return left, right


def _middle(line: tuple[Point, Point]) -> Point:
    return (line[0][0] + line[1][0]) / 2, (line[0][1] + line[1][1]) / 2
