"""Where a garment is open: its neck, waist, sleeves and hem, as far as a body or nothing shows there."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np

from services.inference.pipeline.arrays import Bools
from services.inference.pipeline.hollow.evidence import Evidence, Frame, grown
from services.inference.pipeline.hollow.upper_edge import UpperEdge

SMALLEST = 0.0012
"""Share of the garment below which a hole in it is the segmenter's noise rather than an opening."""
LIKELY = 0.5
GROUND = 0.6
"""Probability of real background from which nothing is filled: the gap between an arm and the body."""
_TOP_PART = 0.45
_MIDDLE = 0.3
"""How far from the garment's middle (share of its width) the centre of a neck or waist may lie."""
_KNOWN = 0.6
"""Share of the width of a neckline that the interior map must span to be believed about its upper edge."""
_HELD = 0.6
_PART = 0.3
"""Share of the largest part of a neck from which another part belongs to it."""
_LEVEL, _STRAIGHT = 0.78, 0.05
"""Share of the garment's own width that its upper edge runs straight on from a waist: it has no shoulders.
Straight is what differs by at most that share of the opening's width."""
_LARGEST_END = 0.03
"""Share of the garment up to which the end of a sleeve is believed."""


class Place(StrEnum):
    """Which opening of a garment it is."""

    NECK = "neck"
    WAIST = "waist"
    SLEEVE = "sleeve"
    HEM = "hem"
    INSIDE = "inside"
    """Not open, but hidden: a hanger or a tag before an inner back that is seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """`seed` (the evidence's size) is what is known to be open; its true outline is smoother."""

    place: Place
    seed: Bools


def find_openings(evidence: Evidence) -> tuple[Opening, ...]:
    """The openings through which a body or something else is seen; at most one neck or waist."""
    if not evidence.garment.any():
        return ()
    garment = Frame.around(evidence.garment)
    free = ~evidence.garment & (evidence.ground < GROUND)
    inner = free & (evidence.interior > LIKELY)
    pocket = _below_back(_pocket(evidence, garment), inner)
    parts = _parts(inner | pocket, SMALLEST * evidence.garment.sum())
    placed = [(place, part) for part in parts if (place := _place(evidence, garment, part)) is not None]
    tops = sorted((o for o in placed if o[0] in (Place.NECK, Place.WAIST)), key=lambda o: -int(o[1].sum()))
    ends = [o for o in placed if o[0] in (Place.SLEEVE, Place.HEM, Place.INSIDE)]
    return tuple(Opening(place, seed) for place, seed in [*_joined(tops), *ends])


def _joined(tops: list[tuple[Place, Bools]]) -> list[tuple[Place, Bools]]:
    """One neck or waist out of its parts, largest first: a hanger leaves a part on each side of its own."""
    if not tops:
        return []
    place, largest = tops[0]
    joined = largest.copy()
    for other, part in tops[1:]:
        if other is place and part.sum() > _PART * largest.sum():
            joined |= part
    return [(place, joined)]


def _pocket(evidence: Evidence, garment: Frame) -> Bools:
    """What stands in a neckline: body with garment to its left, right and below, but open upwards.

    It needs no interior map, and holds the part of the opening that lies below the shoulders.
    """
    found = np.zeros(evidence.shape, np.bool_)
    window = Frame(garment.left, garment.top, garment.right, garment.top + round(garment.height * _TOP_PART))
    cloth = evidence.garment[window.window]
    left = np.maximum.accumulate(cloth, axis=1)
    right = np.maximum.accumulate(cloth[:, ::-1], axis=1)[:, ::-1]
    below = np.maximum.accumulate(cloth[::-1], axis=0)[::-1]
    body = (evidence.covered[window.window] > LIKELY) & ~cloth
    roofed = np.maximum.accumulate(cloth, axis=0)
    found[window.window] = _mostly_without(left & right & below & body, roofed)
    return found


def _below_back(pocket: Bools, inner: Bools) -> Bools:
    """The pocket without what lies above the interior map's upper edge, if that map knows the opening.

    Straps reach higher than a back does.
    """
    frame = Frame.around(pocket)
    within = inner[frame.window]
    columns = within.any(axis=0)
    if not frame.width or columns.sum() < _KNOWN * frame.width:
        return pocket
    trimmed = pocket.copy()
    trimmed[: frame.top + int(np.percentile(np.argmax(within, axis=0)[columns], 10))] = False
    return trimmed


def _mostly_without(mask: Bools, other: Bools) -> Bools:
    """The connected parts of a mask of which less than half lies in another."""
    if not mask.any():  # OpenCV divides by the height of an empty one, and ends the process
        return mask
    count, labels = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    sizes = np.bincount(labels.ravel(), minlength=count)
    held = np.bincount(labels[other], minlength=count)
    kept = 2 * held < sizes
    kept[0] = False
    return np.asarray(kept[labels], np.bool_)


def _parts(mask: Bools, smallest: float) -> list[Bools]:
    """Connected parts of a mask that are large enough, frayed edges taken off."""
    opened = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(np.asarray(opened), connectivity=8)
    large = [n for n in range(1, count) if stats[n, cv2.CC_STAT_AREA] >= max(12, smallest)]
    return [np.asarray(labels == number, np.bool_) for number in large]


def _place(evidence: Evidence, garment: Frame, part: Bools) -> Place | None:
    """Which opening a part is by what lies around it; None for none of them."""
    frame = Frame.around(part)
    near = grown(part, 3) & evidence.garment
    if not near.any():
        return None
    above, below = _beyond(evidence.garment, part, garment.height // 10)
    x = (frame.centre[0] - garment.left) / garment.width - 0.5
    y = (frame.centre[1] - garment.top) / garment.height
    starts = (frame.top - garment.top) / garment.height
    held = below > LIKELY or _between(evidence.garment, part) > _HELD
    if held and above < LIKELY and starts < _TOP_PART and abs(x) < _MIDDLE:
        return Place.WAIST if _is_level(evidence.garment, frame) else Place.NECK
    if above > LIKELY and below > LIKELY and starts < _TOP_PART and evidence.interior[part].mean() > LIKELY:
        return Place.INSIDE
    if part.sum() > _LARGEST_END * evidence.garment.sum() or below > LIKELY:
        return None
    wide = frame.width > 0.35 * garment.width and y > LIKELY
    return Place.HEM if wide else Place.SLEEVE


def _between(garment: Bools, part: Bools) -> float:
    """Share of a part's rows that have garment on both sides: an open front has none below it."""
    frame = Frame.around(part)
    rows = slice(frame.top, frame.bottom)
    left = garment[rows, : frame.left + frame.width // 2].any(axis=1)
    right = garment[rows, frame.left + frame.width // 2 :].any(axis=1)
    return float((left & right).mean())


def _beyond(garment: Bools, part: Bools, reach: int) -> tuple[float, float]:
    """Shares of a part's columns that have garment somewhere above it, and within `reach` px below it."""
    frame = Frame.around(part)
    columns = slice(frame.left, frame.right)
    reach = max(4, reach, frame.height // 3)
    lowest = frame.bottom - 1 - np.argmax(part[frame.top : frame.bottom, columns][::-1], axis=0)
    highest = frame.top + np.argmax(part[frame.top : frame.bottom, columns], axis=0)
    rows = np.arange(garment.shape[0])[:, None]
    cloth = garment[:, columns]
    above = (cloth & (rows < highest)).any(axis=0)
    below = (cloth & (rows > lowest) & (rows <= lowest + reach)).any(axis=0)
    return float(above.mean()), float(below.mean())


def _is_level(garment: Bools, frame: Frame) -> bool:
    """Whether the garment's upper edge runs straight on from the opening to its sides: no shoulders."""
    edge = UpperEdge.beside(garment, frame)
    if edge is None:
        return False
    straight = int((np.abs(edge.below) <= max(2.0, _STRAIGHT * frame.width)).sum())
    row = min(garment.shape[0] - 1, frame.bottom + max(1, frame.height // 4))
    return straight > _LEVEL * max(1, int(garment[row].sum()))
