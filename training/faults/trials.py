"""A rendered photo whose truth is known, to plant faults into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.compose import compose
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow import Filling
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.matte import Matte, matte, mixed_pixels
from services.inference.pipeline.segment import Maps
from services.inference.pipeline.verdict import Judgement, judge
from training.photos import BACKGROUND, BODY, GARMENT, Drawn, sample_photo

PHOTO = (640, 480)
"""Height and width (px) of the photos."""
_MAPS_SIDE = 208
_GOOD_IOU = 0.97
_SMALLEST, _MOST_HIDDEN, _BORDER = 0.03, 0.01, 4
_MOST_WRONG = 0.008
"""Share of the garment that may be open, or something else, in a good result."""
OPTIONS = RenderOptions(background="#ffffff")

Random = np.random.Generator
Look = Callable[[Drawn, Random], Maps]
"""A segmenter, or something that pretends to be one because it knows the truth."""


@dataclass(frozen=True, eq=False)
class Trial:
    """A photo with its truth, what the segmenter says of it, and what was made of it."""

    drawn: Drawn
    maps: Maps
    layers: Layers
    result: U8

    @property
    def alpha(self) -> U8:
        return self.layers.matte.alpha

    @property
    def garment(self) -> Bools:
        """The truth, [H,W]."""
        return np.asarray(self.drawn.classes == GARMENT, np.bool_)

    @property
    def body(self) -> Bools:
        """The truth, [H,W]."""
        return np.asarray(self.drawn.classes == BODY, np.bool_)

    def judged(self) -> Judgement:
        return judge(self.layers, self.maps, OPTIONS, self.result)

    def showing(self, alpha: U8, filling: Filling | None = None) -> Trial:
        """The same photo with another matte: new pixels come with the photo's own colours."""
        cut = with_photo_colours(self.layers, alpha)
        layers = replace(self.layers, matte=cut, filling=filling or self.layers.filling)
        return replace(self, layers=layers, result=compose(layers, OPTIONS))


Plant = Callable[[Trial, Random, Look], "Trial | None"]
"""Plants a fault into a good trial; None where this one can't have it."""


def trial_of(drawn: Drawn, maps: Maps) -> Trial:
    """The photo rendered as the pipeline does it, with a plain inner back."""
    picture = Picture(np.ascontiguousarray(drawn.rgb))
    cut = matte(picture, maps)
    layers = Layers(picture, cut, plain_filling(picture, maps, cut))
    return Trial(drawn, maps, layers, compose(layers, OPTIONS))


def good_trial(seed: int, look: Look, size: tuple[int, int] = PHOTO) -> Trial | None:
    """A studio photo whose render is right; None if this seed's is not, or the photo itself is at fault."""
    drawn = sample_photo(seed, size)
    if not photo_is_good(drawn):
        return None
    trial = trial_of(drawn, look(drawn, np.random.default_rng([21, seed])))
    return trial if result_is_good(trial) else None


def result_is_good(trial: Trial) -> bool:
    """By the truth: the garment is there, its openings are filled, and nothing else is seen."""
    shown, area = trial.alpha > 127, float(max(1, trial.garment.sum()))
    opening = trial.drawn.interior > 0
    hole = opening & (cv2.max(trial.alpha, trial.layers.filling.alpha) < 128)
    left = shown & ~trial.garment & ~opening & (trial.drawn.classes != BACKGROUND)
    right = _iou(shown, trial.garment) >= _GOOD_IOU
    return bool(right and hole.sum() < _MOST_WRONG * area and left.sum() < _MOST_WRONG * area)


def photo_is_good(drawn: Drawn) -> bool:
    """Large enough, whole, and with nothing in front of it."""
    garment = drawn.classes == GARMENT
    free = garment[_BORDER:-_BORDER, _BORDER:-_BORDER].sum() == garment.sum()
    return bool(garment.mean() > _SMALLEST and free and _hidden(drawn) < _MOST_HIDDEN)


def pretended(drawn: Drawn, rng: Random) -> Maps:
    """The truth as a network gives it: small, out of place by up to a pixel, soft and a little wrong."""
    planes = np.stack([drawn.classes == label for label in range(4)]).astype(np.float32)
    classes = np.stack([_coarse(plane) for plane in planes])
    interior = _coarse(drawn.interior.astype(np.float32))
    warp = _warp(rng, interior.shape, rng.uniform(0.2, 1.0))
    soft = rng.uniform(0.5, 1.0)
    classes, interior = np.stack([_seen(plane, warp, soft) for plane in classes]), _seen(interior, warp, soft)
    classes = classes ** np.float32(rng.uniform(0.7, 1.2)) + np.float32(rng.uniform(0.002, 0.02))
    return Maps(np.asarray(classes / classes.sum(0), np.float32), interior)


def with_photo_colours(layers: Layers, alpha: U8) -> Matte:
    """A matte of this alpha; where it was mixed before, the edge keeps its estimated colours."""
    colours = layers.picture.rgb.reshape(-1, 3).copy()
    before = layers.matte
    colours[before.edge] = before.colours
    edge = mixed_pixels(alpha)
    return Matte(alpha, edge, colours[edge])


def plain_filling(picture: Picture, maps: Maps, cut: Matte) -> Filling:
    """The openings in a darker shade of the garment's mean colour."""
    size = (picture.width, picture.height)
    opening = cv2.resize(maps.interior, size, interpolation=cv2.INTER_LINEAR)
    alpha = np.rint(np.clip(opening * 4 - 1.5, 0, 1) * 255).astype(np.uint8)
    shown = cut.alpha == 255
    colour = picture.rgb[shown].mean(0) * 0.6 if shown.any() else np.zeros(3)
    return Filling(alpha, np.broadcast_to(colour.astype(np.uint8), picture.rgb.shape).copy())


def _coarse(plane: F32) -> F32:
    height, width = plane.shape
    scale = _MAPS_SIDE / max(height, width)
    size = (round(width * scale), round(height * scale))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def _warp(rng: Random, shape: tuple[int, ...], reach: float) -> tuple[F32, F32]:
    rows, columns = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    return columns + smooth_noise(rng, shape, 12) * np.float32(reach), rows + smooth_noise(
        rng, shape, 12
    ) * np.float32(reach)


def _seen(plane: F32, warp: tuple[F32, F32], soft: float) -> F32:
    moved = cv2.remap(plane, warp[0], warp[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(moved, (0, 0), soft), np.float32)


def smooth_noise(rng: Random, shape: tuple[int, ...], feature: float) -> F32:
    """Noise of mean 0 and deviation about 1 in lumps of `feature` px."""
    small = (max(2, round(shape[1] / feature) + 1), max(2, round(shape[0] / feature) + 1))
    coarse = rng.standard_normal((small[1], small[0])).astype(np.float32)
    grown = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown / (grown.std() + 1e-6), np.float32)


def _hidden(drawn: Drawn) -> float:
    """Share of the garment's closed silhouette that something covers, openings aside."""
    garment = (drawn.classes == GARMENT).astype(np.uint8)
    reach = max(3, round(0.25 * float(garment.sum()) ** 0.5)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    closed = cv2.morphologyEx(garment, cv2.MORPH_CLOSE, disc) > 0
    front = closed & (drawn.classes >= BODY) & (drawn.interior == 0)
    front = cv2.erode(front.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return float(front.sum()) / max(1, int(garment.sum()))


def _iou(found: Bools, truth: Bools) -> float:
    return float((found & truth).sum() / max(1, (found | truth).sum()))
