"""One photo in, one product picture out: the whole pipeline, pure and in one thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TypeVar

import cv2
import numpy as np

from libs.common.contracts.inference import Finding, Landmarks, Verdict
from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.align import Catalogue, catalogue_of
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.artefacts import Encoded, draw_artefacts
from services.inference.pipeline.compose import compose, frame
from services.inference.pipeline.crop import Layout
from services.inference.pipeline.decode import Picture, decode
from services.inference.pipeline.every_garment import told
from services.inference.pipeline.finish import RESULT, finish, finish_renditions
from services.inference.pipeline.hollow import NOTES, Drawn, InsideShot, Source, hollow_out
from services.inference.pipeline.landmarks import find_landmarks
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.marks import DigitalSource, invented, source_of
from services.inference.pipeline.matte import matte
from services.inference.pipeline.second_look import look_again
from services.inference.pipeline.segment import Hint, Maps, Segmenter, hint_of, segment
from services.inference.pipeline.verdict import Judgement, judge
from services.inference.pipeline.watermark import is_trial

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Render:
    """A finished picture with what goes along with it, what is thought of it and how long it took.

    `score` is 0..1, `findings` have stable codes, `model` is `name@version`, `timings` are ms by stage.
    `preserved_fraction` is the share of the shown garment that is the photo's own pixels, bit for bit.
    `inner_back` says where what shows in the openings comes from.
    `attempts` is 2 where the first result was not good enough and another was tried; the better one is kept.
    `digital_source` is how the picture came about, where it shows what nobody photographed;
    `synthesized_fraction` the share of that in what is shown.
    `photo_size` is the upright photo's width and height in px; artefacts and boxes are at that size.
    """

    result: Encoded
    renditions: tuple[Encoded, ...]
    artefacts: tuple[Encoded, ...]
    verdict: Verdict
    score: float
    findings: tuple[Finding, ...]
    preserved_fraction: float
    inner_back: Source
    landmarks: Landmarks
    model: str
    photo_size: tuple[int, int]
    attempts: int
    timings: Mapping[str, float]
    digital_source: DigitalSource | None = None
    synthesized_fraction: float = 0.0

    @property
    def files(self) -> tuple[Encoded, ...]:
        """The result, the renditions and the artefacts; each has a name of its own."""
        return (self.result, *self.renditions, *self.artefacts)


@dataclass(frozen=True, slots=True, eq=False)
class Photos:
    """What was sent, decoded, and what is asked of it. `drawn` lays a generated picture behind it."""

    picture: Picture
    back: InsideShot | None
    options: RenderOptions
    drawn: Drawn | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Try:
    """A result and what is thought of it."""

    maps: Maps
    layers: Layers
    landmarks: Landmarks
    catalogue: Catalogue | None
    pixels: U8
    judgement: Judgement


def render(photo: bytes, options: RenderOptions, segmenter: Segmenter, inside: bytes | None = None) -> Render:
    """Renders a photo, with the photo of the garment's turned-out back if there is one.

    Raises PictureRefused if a photo is at fault. Safe to call from several threads at once; the heavy stages
    run outside the GIL. The same photos, options and model give the same bytes.
    """
    watch, segmenter = Stages(), told(segmenter, options.garment)
    photos, maps = look_at(photo, options, segmenter, inside, watch)
    return render_photos(photos, maps, segmenter, watch)


def look_at(
    photo: bytes, options: RenderOptions, segmenter: Segmenter, inside: bytes | None, watch: Stages
) -> tuple[Photos, Maps]:
    """The photos decoded, and what the segmenter says of the first. Raises PictureRefused."""
    picture = watch.time("decode", lambda: decode(photo))
    back = None
    if inside is not None:
        back = watch.time("inside", lambda: _inside_shot(inside, segmenter, hint_of(options.garment)))
    maps = watch.time("segment", lambda: segment(picture, segmenter, hint_of(options.garment)))
    return Photos(picture, back, options), maps


def render_photos(photos: Photos, maps: Maps, segmenter: Segmenter, watch: Stages) -> Render:
    """All that follows once the photos were looked at."""
    picture, options = photos.picture, photos.options
    best, attempts = _best(photos, maps, segmenter, watch)
    layers, judgement = best.layers, best.judgement
    source = source_of(layers, drawn=photos.drawn is not None)
    looks = layers, options, best.catalogue, source
    result = watch.time("encode", lambda: finish(RESULT, best.pixels, *looks))
    others = watch.time("renditions", lambda: finish_renditions(*looks))
    unmet = tuple(finding for made in (result, *others) for finding in made.findings())
    unmet += tuple(Finding(code=note.value, detail=NOTES[note]) for note in layers.filling.notes)
    return Render(
        result=result.file,
        renditions=tuple(made.file for made in others),
        artefacts=watch.time(
            "artefacts",
            lambda: draw_artefacts(layers, best.maps, trial=is_trial(options)) if options.artefacts else (),
        ),
        verdict=for_review(judgement.verdict) if unmet else judgement.verdict,
        score=judgement.score,
        findings=(*reported(judgement), *unmet),
        preserved_fraction=round(layers.preserved_fraction(), 6),
        inner_back=layers.filling.source,
        landmarks=best.landmarks,
        model=segmenter.name,
        photo_size=(picture.width, picture.height),
        attempts=attempts,
        timings=watch.milliseconds,
        digital_source=source,
        synthesized_fraction=_share_of_invented(layers),
    )


def _best(photos: Photos, maps: Maps, segmenter: Segmenter, watch: Stages) -> tuple[_Try, int]:
    """The better of the first result and of the second, if there was reason for one; how many there were."""
    first = _tried(photos, maps, watch)
    if first.judgement.verdict is Verdict.PUBLISHABLE:
        return first, 1
    second = watch.time("second_try", lambda: _tried_again(photos, segmenter, first))
    if second is None:
        return first, 1
    return (second if second.judgement.is_better_than(first.judgement) else first), 2


def _tried(photos: Photos, maps: Maps, watch: Stages) -> _Try:
    picture, options = photos.picture, photos.options
    cut = watch.time("matte", lambda: matte(picture, maps))
    filling = watch.time("hollow", lambda: hollow_out(picture, maps, cut, options, photos.back, photos.drawn))
    layers = Layers(picture, cut, filling)
    landmarks = watch.time("landmarks", lambda: find_landmarks(layers, maps))
    catalogue = catalogue_of(options, landmarks)
    pixels = watch.time("compose", lambda: compose(layers, options, catalogue))
    layout = frame(layers, options, catalogue)
    whole = pixels if layout.window.size == (picture.width, picture.height) and _fills(layout) else None
    judgement = watch.time("verdict", lambda: judge(layers, maps, options, whole))
    return _Try(maps, layers, landmarks, catalogue, pixels, judgement)


def _fills(layout: Layout) -> bool:
    return layout.inner == layout.outer and not layout.turn


def _tried_again(photos: Photos, segmenter: Segmenter, first: _Try) -> _Try | None:
    hint = hint_of(photos.options.garment)
    maps = look_again(photos.picture, segmenter, hint, first.maps, first.judgement)
    return None if maps is None else _tried(photos, maps, Stages())


def _inside_shot(data: bytes, segmenter: Segmenter, hint: Hint) -> InsideShot:
    picture = decode(data)
    return InsideShot(picture, segment(picture, segmenter, hint))


def _share_of_invented(layers: Layers) -> float:
    shown = int(np.count_nonzero((layers.matte.alpha > 0) | (layers.filling.alpha > 0)))
    return round(int(np.count_nonzero(invented(layers))) / max(1, shown), 6)


def reported(judgement: Judgement) -> tuple[Finding, ...]:
    """A judgement's faults as findings."""
    return tuple(
        Finding(code=found.reason.value, detail=found.detail, box=found.box) for found in judgement.found
    )


def for_review(verdict: Verdict) -> Verdict:
    """What a shop would not take is for a person to see, however good it is."""
    return Verdict.REVIEW if verdict is Verdict.PUBLISHABLE else verdict


def use_one_core_a_render() -> None:
    """Stops OpenCV from splitting each call over all cores: with a render on every core that only costs."""
    cv2.setNumThreads(1)


class Stages:
    """How long each stage took."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    def time(self, stage: str, work: Callable[[], _T]) -> _T:
        start = perf_counter()
        result = work()
        self.milliseconds[stage] = round((perf_counter() - start) * 1000, 2)
        return result
