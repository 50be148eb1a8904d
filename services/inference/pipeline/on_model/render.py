"""One photo of a garment and one of a person in, one picture of the person in the garment out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from libs.common.contracts.inference import Finding, Landmarks, Torso
from libs.common.contracts.options import GarmentChoice, PictureOptions, RenderOptions
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.artefacts import Encoded, artefact, likeliest_classes
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.encode import encode
from services.inference.pipeline.every_garment import told
from services.inference.pipeline.finish import RESULT, Finished
from services.inference.pipeline.hollow import Source, hollow_out
from services.inference.pipeline.landmarks import find_landmarks
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.marks import DigitalSource
from services.inference.pipeline.matte import matte
from services.inference.pipeline.on_model.figure import Figure
from services.inference.pipeline.on_model.fit import Cloth
from services.inference.pipeline.on_model.judge import judge_worn
from services.inference.pipeline.on_model.person import Person
from services.inference.pipeline.on_model.places import Places, places_above, places_below
from services.inference.pipeline.on_model.shown import framed, shown, window_of
from services.inference.pipeline.on_model.torso import Unfit, hangs_from_waist, refused
from services.inference.pipeline.on_model.wear import Worn, wear
from services.inference.pipeline.render import Render, Stages, for_review, look_at, reported
from services.inference.pipeline.segment import Hint, Maps, Segmenter
from services.inference.pipeline.verdict import Judgement
from services.inference.pipeline.watermark import is_trial, marked, shrunk

PRESETS_ARE_OF_GHOSTS = (
    "A preset asks for the garment alone; with `render=on_model` its requirements are not met."
)
LEAST_GARMENT = 0.003
"""Share of its photo below which a garment is none."""


@dataclass(frozen=True, slots=True, eq=False)
class Dressed:
    """The dressed person, and all that it was made from, before files are made of it.

    `layers` and `maps` are of the garment's photo, the other ones of the person's. `torso` is None below the
    waist.
    """

    layers: Layers
    maps: Maps
    person: Person
    person_maps: Maps
    figure: Figure
    torso: Torso | None
    places: Places
    worn: Worn

    def judged(self, options: RenderOptions) -> Judgement:
        worn = self.worn
        return judge_worn(
            self.layers,
            self.maps,
            options,
            worn.fit,
            self.figure,
            arms=self.places.arms,
            old_share=worn.rest.share,
            enlarged=worn.placed.enlarged,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A picture [H,W,3] of a dressed person, ready to become files: what is garment and what is invented in
    it [H,W], what is thought of it and which model made it.
    """

    rgb: U8
    alpha: U8
    synthesized: U8
    kept: float
    judgement: Judgement
    source: DigitalSource
    model: str
    notes: tuple[Finding, ...] = ()


def render_on_model(photo: bytes, options: RenderOptions, segmenter: Segmenter, person: Person) -> Render:
    """Renders a garment's photo on a person, in the frame of that person's photo.

    PictureRefused if a photo is at fault; PersonRefused if nothing can be put on this person. Where the
    garment, its edge, its shadow and what is painted over of the old garment do not show, the result is the
    person's photo bit for bit (at its own size, in a lossless format). The same photos, options and model
    give the same bytes.
    """
    watch, segmenter = Stages(), told(segmenter, options.garment)
    photos, maps = look_at(photo, options, segmenter, None, watch)
    made = watch.time("on_model", lambda: dress(photos.picture, maps, options, segmenter, person))
    return finished(made, outcome_of(made, options, segmenter.name), options, watch)


def dress(
    picture: Picture, maps: Maps, options: RenderOptions, segmenter: Segmenter, person: Person
) -> Dressed:
    """The person in the garment of a photo. PersonRefused."""
    layers = cut_for_wearing(picture, maps, options)
    garment = Figure.of(maps, picture.width, picture.height)
    below = options.garment is GarmentChoice.BOTTOM or _hangs_from_waist(layers, maps, options)
    hint = Hint.LOWER if below else Hint.UPPER
    figure = person.figure(segmenter, hint)
    torso = None if below else person.torso(segmenter)
    places = _places(figure, torso, garment)
    worn = wear(layers, Cloth(garment.garment, garment.scale), person.picture.rgb, figure, places)
    return Dressed(layers, maps, person, person.maps(segmenter, hint), figure, torso, places, worn)


def cut_for_wearing(picture: Picture, maps: Maps, options: RenderOptions) -> Layers:
    """The garment with what hides it filled, as holes would show what the person wears, and open as it is:
    what shows in its openings now is the person.
    """
    asked = options.model_copy(update={"hollow": False, "fill_occlusions": True})
    cut = matte(picture, maps)
    return Layers(picture, cut, hollow_out(picture, maps, cut, asked))


def outcome_of(made: Dressed, options: RenderOptions, model: str) -> Outcome:
    """What the geometric fit gives."""
    worn = made.worn
    return Outcome(
        worn.rgb,
        worn.alpha,
        worn.synthesized.view(np.uint8) * np.uint8(255),
        1 - float(worn.changed.mean()),
        made.judged(options),
        DigitalSource.COMPOSITE_SYNTHETIC,
        model,
    )


def finished(made: Dressed, outcome: Outcome, options: RenderOptions, watch: Stages) -> Render:
    """The files of an outcome, and what goes along with them."""
    pictures = (_Asked(RESULT, options), *(_Asked(asked.name, asked) for asked in options.renditions))
    trial = is_trial(options)
    files = watch.time("encode", lambda: [_file(made, outcome, asked, trial=trial) for asked in pictures])
    unmet = tuple(finding for file in files for finding in file.findings()) + outcome.notes
    verdict = outcome.judgement.verdict
    return Render(
        result=files[0].file,
        renditions=tuple(file.file for file in files[1:]),
        artefacts=watch.time(
            "artefacts", lambda: _artefacts(made, outcome, trial=trial) if options.artefacts else ()
        ),
        verdict=for_review(verdict) if unmet else verdict,
        score=outcome.judgement.score,
        findings=(*reported(outcome.judgement), *unmet),
        preserved_fraction=round(outcome.kept, 6),
        inner_back=Source.NONE,
        landmarks=_landmarks(made.torso),
        model=outcome.model,
        photo_size=made.person.size,
        attempts=1,
        timings=watch.milliseconds,
        digital_source=outcome.source,
        synthesized_fraction=round(
            float(np.count_nonzero(outcome.synthesized)) / outcome.synthesized.size, 6
        ),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    options: PictureOptions


def _file(made: Dressed, outcome: Outcome, asked: _Asked, *, trial: bool) -> Finished:
    size, scale = made.person.size, made.figure.scale
    person, garment = (window_of(mask, scale, size) for mask in (made.figure.whole, made.worn.fit.garment))
    pixels = shown(outcome.rgb, framed(size, person, garment, asked.options), asked.options)
    pixels = marked(pixels) if trial else pixels
    data = encode(pixels, asked.options, outcome.source)
    file = Encoded(asked.name, data, asked.options.format.media_type, pixels.shape[1], pixels.shape[0])
    return Finished(file, (PRESETS_ARE_OF_GHOSTS,) if asked.options.rule else ())


def _artefacts(made: Dressed, outcome: Outcome, *, trial: bool) -> tuple[Encoded, ...]:
    """As those of a ghost, in the frame of the person's photo; `classes` are that photo's."""
    planes = {
        "alpha": outcome.alpha,
        "classes": likeliest_classes(made.person_maps, made.person.size),
        "synthesized": outcome.synthesized,
    }
    if trial:
        planes = {name: shrunk(plane, classes=name == "classes") for name, plane in planes.items()}
    return tuple(artefact(name, plane) for name, plane in planes.items())


def _hangs_from_waist(layers: Layers, maps: Maps, options: RenderOptions) -> bool:
    if options.garment is not GarmentChoice.AUTO:
        return False
    garment = Figure.of(maps, layers.picture.width, layers.picture.height)
    if garment.body.any() and hangs_from_waist(garment):
        return True
    landmarks = find_landmarks(layers, maps)
    return landmarks.left_shoulder is None and landmarks.left_waist is not None


def _places(figure: Figure, torso: Torso | None, garment: Figure) -> Places:
    if garment.garment.mean() < LEAST_GARMENT or not figure.garment.any():
        raise refused(Unfit.NO_GARMENT if garment.garment.mean() < LEAST_GARMENT else Unfit.NO_TORSO)
    return places_below(figure, garment) if torso is None else places_above(figure, torso, garment)


def _landmarks(torso: Torso | None) -> Landmarks:
    """Where the garment's parts went on the person."""
    if torso is None:
        return Landmarks()
    return Landmarks(
        left_shoulder=torso.left_shoulder,
        right_shoulder=torso.right_shoulder,
        neck=torso.neck,
        left_waist=torso.left_waist,
        right_waist=torso.right_waist,
    )
