"""A person in a garment as a generative model draws it, held to the person's photo.

The lock: of the drawing no more is used than what lies where the person's old garment was or where the
drawing shows the new one, and never over face, hair and hands. Everything else is the person's photo, bit for
bit. The garment itself can't be locked, as no pixel of its photo lies where the drawing has it: so such a
result is for somebody to look at, and where the drawing shows somebody else or other cloth, the platform's
own fit stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from libs.common.contracts.inference import Finding
from libs.common.contracts.options import RenderOptions
from services.inference.generated.drawing import picture_of
from services.inference.generated.sheet import lay_on_sheet
from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.every_garment import told
from services.inference.pipeline.marks import DigitalSource
from services.inference.pipeline.matte import refine
from services.inference.pipeline.on_model.figure import Figure
from services.inference.pipeline.on_model.judge import judge_garment
from services.inference.pipeline.on_model.occlude import in_front
from services.inference.pipeline.on_model.person import Person
from services.inference.pipeline.on_model.render import Dressed, Outcome, dress, finished, outcome_of
from services.inference.pipeline.on_model.wear import composite
from services.inference.pipeline.render import Render, Stages, look_at
from services.inference.pipeline.resample import reduced
from services.inference.pipeline.segment import Segmenter, hint_of, segment
from services.inference.providers.provider import Drawing

DrawWorn = Callable[[bytes, bytes, str], Drawing]
"""Has a garment's encoded photo and a person's (and their media type) drawn as one. Raises CallFailed."""
DRAWN = Finding(
    code="on_model_drawn",
    detail="A generative model drew the garment on the person. Compare it with the garment's photo.",
)
NOT_USED = Finding(
    code="on_model_drawing_not_used",
    detail="The provider drew another person, another garment or another place, so its drawing is not used "
    "and the garment was laid on the person by the platform.",
)
_SIDE = 1024
"""Longest side (px) of the two sheets: both go into one request."""
_TYPICAL, _MOST = 9.0, 34.0
"""Distances in CIELAB, smoothed, that half and nine tenths of the kept photo may have from the drawing."""
_CLOTH = 26.0
"""Distance in CIELAB between the medians of the drawn garment and the photographed one."""
_ROOM = 5
"""Px of the figure around old and new garment in which the drawing shows, so that no seam cuts a fold."""


def render_drawn_on_model(
    photo: bytes, options: RenderOptions, segmenter: Segmenter, person: Person, draw: DrawWorn
) -> Render:
    """As `render_on_model`, with one drawing. CallFailed for the provider's fault."""
    watch, segmenter = Stages(), told(segmenter, options.garment)
    photos, maps = look_at(photo, options, segmenter, None, watch)
    made = watch.time("on_model", lambda: dress(photos.picture, maps, options, segmenter, person))
    sheet, garment = lay_on_sheet(person.picture, _SIDE), lay_on_sheet(photos.picture, _SIDE)
    drawing = watch.time("draw", lambda: draw(garment.data, sheet.data, sheet.media_type))
    drawn = watch.time("drawing", lambda: _at_size(picture_of(drawing, sheet).rgb, person.size))
    outcome = watch.time(
        "lock", lambda: locked(made, drawn, options, segmenter, f"{segmenter.name}+{drawing.model}")
    )
    return finished(made, outcome, options, watch)


def locked(made: Dressed, drawn: U8, options: RenderOptions, segmenter: Segmenter, model: str) -> Outcome:
    """The drawing [H,W,3] where it may show, over the person's photo; or the fit, if it can't be trusted."""
    photo = made.person.picture
    maps = segment(Picture(drawn), segmenter, hint_of(options.garment))
    figure = Figure.of(maps, *made.person.size)
    alpha = _shows(made, figure)
    if not _is_of(made, drawn, figure, alpha):
        return replace(outcome_of(made, options, model), notes=(NOT_USED,))
    return Outcome(
        composite(photo.rgb, drawn, alpha),
        alpha,
        np.where(alpha > 0, np.uint8(255), np.uint8(0)),
        1 - float((alpha > 0).mean()),
        judge_garment(made.layers, made.maps, options),
        DigitalSource.COMPOSITE_WITH_TRAINED,
        model,
        (DRAWN,),
    )


def _shows(made: Dressed, drawn: Figure) -> U8:
    """Alpha uint8 [H,W] with which the drawing lies over the photo."""
    figure, places = made.figure, made.places
    room = np.ones((2 * _ROOM + 1, 2 * _ROOM + 1), np.uint8)
    worn = np.asarray(cv2.dilate((figure.garment | drawn.garment).view(np.uint8), room), np.uint8)
    small = reduced(made.person.picture.rgb, figure.shape[::-1])
    front = in_front(figure, small, places.shoulders, places.arms, sleeves=True)
    alpha = cv2.resize(worn * np.uint8(255), made.person.size, interpolation=cv2.INTER_LINEAR)
    own = cv2.bitwise_not(refine(made.person.picture.rgb, front.view(np.uint8)))
    return np.asarray(cv2.multiply(alpha, own, scale=1 / 255), np.uint8)


def _is_of(made: Dressed, drawn: U8, figure: Figure, alpha: U8) -> bool:
    """Whether the drawing shows this person in this place, and this garment's cloth."""
    size = made.figure.shape[::-1]
    ours, theirs = (_lab(reduced(rgb, size)) for rgb in (made.person.picture.rgb, drawn))
    kept = np.asarray(reduced(alpha, size) == 0, np.bool_)
    if not kept.any() or not figure.garment.any():
        return False
    apart = np.linalg.norm(ours - theirs, axis=-1)[kept]
    if np.median(apart) > _TYPICAL or np.percentile(apart, 90) > _MOST:
        return False
    cloth = _garment_of(made)
    return bool(np.linalg.norm(np.median(theirs[figure.garment], axis=0) - cloth) <= _CLOTH)


def _garment_of(made: Dressed) -> F32:
    """Median colour of the photographed garment."""
    garment = Figure.of(made.maps, made.layers.picture.width, made.layers.picture.height)
    lab = _lab(reduced(made.layers.picture.rgb, garment.shape[::-1]))
    inside: Bools = garment.garment
    return np.asarray(np.median(lab[inside], axis=0), np.float32)


def _lab(rgb: U8) -> F32:
    smooth = cv2.GaussianBlur(rgb.astype(np.float32) * np.float32(1 / 255), (0, 0), 1.5)
    return np.asarray(cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB), np.float32)


def _at_size(rgb: U8, size: tuple[int, int]) -> U8:
    if size[0] <= rgb.shape[1] and size[1] <= rgb.shape[0]:
        return reduced(rgb, size)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC), np.uint8)
