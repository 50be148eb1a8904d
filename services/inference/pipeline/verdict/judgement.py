"""From evidence to a verdict: each fault is measured and held against its limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from libs.common.contracts.inference import Box, Verdict
from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.segment import Maps
from services.inference.pipeline.verdict import certainty, frame, ground, light, outline, residue
from services.inference.pipeline.verdict.reasons import LIMITS, SENTENCES, Limits, Reason
from services.inference.pipeline.verdict.view import Evidence, Findings, View, view_of

_MEASURES: tuple[Callable[[View], Findings], ...] = (
    ground.nothing_changed,
    residue.body_left,
    residue.openings_not_hollow,
    ground.ground_left,
    outline.halo,
    frame.others,
    frame.cut_off,
    frame.hidden,
    light.blur,
    light.darkness,
    certainty.doubt,
)
_AS_ASKED = RenderOptions()
_RANKS = {Verdict.REJECTED: 0, Verdict.REVIEW: 1, Verdict.PUBLISHABLE: 2}
_LEAST_WEIGHT, _MOST_WEIGHT = 0.25, 0.9


@dataclass(frozen=True, slots=True)
class Found:
    """A fault: what it is and what to do about it, for a person, and where (px of the photo) if somewhere."""

    reason: Reason
    detail: str
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is thought of a result.

    `score` is 0..1: the garment's mean probability, and for each fault a factor: 0.75 at the limit from which
    a person should look, falling to 0.1 at the one from which the result is no use. 0 without a garment.
    """

    verdict: Verdict
    score: float
    found: tuple[Found, ...] = ()

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(found.reason for found in self.found)

    def is_better_than(self, other: Judgement) -> bool:
        """By verdict first, then by score."""
        return (_RANKS[self.verdict], self.score) > (_RANKS[other.verdict], other.score)


def judge(
    layers: Layers, maps: Maps, options: RenderOptions = _AS_ASKED, result: U8 | None = None
) -> Judgement:
    """Judges a result by its layers and by what the segmenter said of the photo.

    `result`: the finished pixels, sRGB uint8 [h,w,3] or straight RGBA [h,w,4], if their frame is the photo's.
    """
    view = view_of(layers, maps, options, result)
    return judged(view, measured(view))


def judged(view: View, evidence: Findings) -> Judgement:
    """What is thought of so much of each fault."""
    found = {reason: fault for reason, fault in evidence.items() if fault.amount >= LIMITS[reason].review}
    score = certainty.confidence(view)
    for reason, fault in found.items():
        score *= 1 - _weight(fault.amount, LIMITS[reason])
    return Judgement(
        _verdict(found),
        0.0 if Reason.NO_GARMENT in found else round(score, 4),
        tuple(Found(reason, SENTENCES[reason], _box(view, fault)) for reason, fault in found.items()),
    )


def measured(view: View) -> dict[Reason, Evidence]:
    """How much of each fault there is. Where there is no garment, nothing else is measured."""
    empty = frame.emptiness(view)
    if empty[Reason.NO_GARMENT].amount >= LIMITS[Reason.NO_GARMENT].review:
        return dict(empty)
    return {reason: fault for measure in _MEASURES for reason, fault in measure(view).items()}


def _verdict(found: Findings) -> Verdict:
    if any(fault.amount >= LIMITS[reason].reject for reason, fault in found.items()):
        return Verdict.REJECTED
    return Verdict.REVIEW if found else Verdict.PUBLISHABLE


def _weight(amount: float, limits: Limits) -> float:
    span = limits.reject - limits.review
    far = min(1.0, (amount - limits.review) / span) if span else 1.0
    return _LEAST_WEIGHT + (_MOST_WEIGHT - _LEAST_WEIGHT) * far


def _box(view: View, fault: Evidence) -> Box | None:
    return None if fault.where is None else view.box(fault.where)
