"""One photo in, one product picture out: the whole pipeline, pure and in one thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TypeVar

import cv2

from libs.common.contracts.inference import Verdict
from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.compose import compose
from services.inference.pipeline.decode import decode
from services.inference.pipeline.encode import encode
from services.inference.pipeline.matte import matte
from services.inference.pipeline.segment import Segmenter, segment
from services.inference.pipeline.verdict import judge

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Render:
    """A finished picture: its encoded `data`, its size in px, what is thought of it and how long it took.

    `score` is 0..1, `reasons` are stable codes, `model` is `name@version`, `timings` are ms by stage.
    """

    data: bytes = field(repr=False)
    media_type: str
    width: int
    height: int
    verdict: Verdict
    score: float
    reasons: tuple[str, ...]
    model: str
    timings: Mapping[str, float]


def render(photo: bytes, options: RenderOptions, segmenter: Segmenter) -> Render:
    """Renders a photo. Raises PictureRefused if the photo is at fault.

    Safe to call from several threads at once; the heavy stages run outside the GIL. The same photo, options
    and model give the same bytes.
    """
    watch = _Stopwatch()
    picture = watch.time("decode", lambda: decode(photo))
    maps = watch.time("segment", lambda: segment(picture, segmenter))
    cut = watch.time("matte", lambda: matte(picture, maps))
    judgement = watch.time("verdict", lambda: judge(maps, cut.alpha))
    pixels = watch.time("compose", lambda: compose(picture, cut, options))
    data = watch.time("encode", lambda: encode(pixels, options))
    return Render(
        data=data,
        media_type=options.format.media_type,
        width=pixels.shape[1],
        height=pixels.shape[0],
        verdict=judgement.verdict,
        score=judgement.score,
        reasons=tuple(reason.value for reason in judgement.reasons),
        model=segmenter.name,
        timings=watch.milliseconds,
    )


def use_one_core_a_render() -> None:
    """Stops OpenCV from splitting each call over all cores: with a render on every core that only costs."""
    cv2.setNumThreads(1)


class _Stopwatch:
    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    def time(self, stage: str, work: Callable[[], _T]) -> _T:
        start = perf_counter()
        result = work()
        self.milliseconds[stage] = round((perf_counter() - start) * 1000, 2)
        return result
