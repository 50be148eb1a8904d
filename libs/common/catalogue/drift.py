"""How far each photo of a batch is from the others: scale, place and slant against the median."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from libs.common.catalogue.stance import Kind, Stance, stance_of
from libs.common.contracts.ids import ImageId
from libs.common.contracts.inference import Landmarks


@dataclass(frozen=True, slots=True)
class Sighting:
    """A photo of a batch: its size (px) and where its garment's landmarks are."""

    image_id: ImageId
    landmarks: Landmarks
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Drift:
    """Against the median of the batch's garments that are aligned by the same line.

    `scale` is a factor (1.1: a tenth larger), `x` and `y` are shares of the photo (positive: further to
    the right, lower), `rotation` degrees clockwise.
    """

    image_id: ImageId
    scale: float
    x: float
    y: float
    rotation: float


@dataclass(frozen=True, slots=True)
class _Seen:
    scale: float
    x: float
    y: float
    rotation: float


def drifts(sightings: Sequence[Sighting]) -> tuple[Drift, ...]:
    """The drift of each photo whose garment has a line to measure, in the order given.

    Scale is the line's width over the photo's longest side: lengths differ from garment to garment.
    """
    found = [(sighting, stance) for sighting in sightings if (stance := stance_of(sighting.landmarks))]
    seen = [(_by_waist(stance), _seen(sighting, stance)) for sighting, stance in found]
    medians = {line: _median([one for by, one in seen if by == line]) for line in {by for by, _ in seen}}
    return tuple(
        _drift(sighting.image_id, one, medians[line])
        for (sighting, _), (line, one) in zip(found, seen, strict=True)
    )


def _by_waist(stance: Stance) -> bool:
    return stance.kind is Kind.LOWER


def _seen(sighting: Sighting, stance: Stance) -> _Seen:
    return _Seen(
        stance.width / max(sighting.width, sighting.height),
        stance.middle[0] / sighting.width,
        stance.middle[1] / sighting.height,
        stance.slant,
    )


def _median(group: Sequence[_Seen]) -> _Seen:
    return _Seen(
        median(seen.scale for seen in group),
        median(seen.x for seen in group),
        median(seen.y for seen in group),
        median(seen.rotation for seen in group),
    )


def _drift(image_id: ImageId, seen: _Seen, middle: _Seen) -> Drift:
    return Drift(
        image_id,
        round(seen.scale / middle.scale, 4),
        round(seen.x - middle.x, 4),
        round(seen.y - middle.y, 4),
        round(seen.rotation - middle.rotation, 2),
    )
