"""Drawn garments on a body with exact maps: what is garment, body and ground, and where the inner back is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8, Bools
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.hollow import InsideShot
from services.inference.pipeline.matte import Matte, mixed_pixels
from services.inference.pipeline.segment import Maps

WIDTH, HEIGHT = 720, 900
GROUND, CLOTH, SKIN, BAND = (236, 236, 234), (64, 104, 168), (214, 168, 140), (196, 60, 60)
NECKS = ("crew", "vee", "boat", "strap")
_MIDDLE, _SHOULDER = WIDTH // 2, 270
_STEP = 4
"""Maps are a quarter of the photo's size, as those of a network are."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A photo and the truth about it, each mask [H,W]; `gap` is ground enclosed by an arm and the body."""

    rgb: U8
    garment: Bools
    body: Bools
    interior: Bools
    gap: Bools

    @property
    def picture(self) -> Picture:
        return Picture(self.rgb)

    @property
    def maps(self) -> Maps:
        """As a perfect network would say it."""
        other = np.zeros_like(self.body)
        ground = ~self.garment & ~self.body
        classes = np.stack([_small(mask) for mask in (ground, self.garment, self.body, other)])
        return Maps(classes, _small(self.interior))

    @property
    def matte(self) -> Matte:
        """The exact one, antialiased."""
        soft = cv2.GaussianBlur(self.garment.astype(np.float32) * 255, (3, 3), 0)
        alpha = np.asarray(np.rint(soft), np.uint8)
        edge = mixed_pixels(alpha)
        return Matte(alpha, edge, np.tile(np.array(CLOTH, np.uint8), (len(edge), 1)))


@cache
def draw_scene(neck: str = "crew", *, band: bool = False) -> Scene:
    """A jumper or top with this neckline on a person whose left hand is on the hip."""
    hole = _hole(neck)
    trunk = _trunk(neck) & ~hole
    sleeves = _sleeves() if neck != "strap" else np.zeros_like(hole)
    garment = trunk | sleeves
    body = (_body() | _limbs()) & ~garment
    interior = hole & below_back(neck) & ~garment
    rgb = _paint(garment, body)
    if band:
        around = np.asarray(cv2.dilate(hole.view(np.uint8), np.ones((25, 25), np.uint8)), np.bool_)
        rgb[around & trunk & (_rows() > _SHOULDER - 30)] = BAND
    return Scene(_softened(rgb), garment, body, interior, _enclosed(garment | body))


def below_back(neck: str) -> Bools:
    """Everything under the true back edge: a parabola that hangs 14 px below the neck's ends."""
    half = _half_width(neck)
    share = np.clip(np.abs(_columns() - _MIDDLE) / half, 0, 1)
    return _rows() > back_edge(neck) + 14 * (1 - share**2)


def back_edge(neck: str) -> float:
    """y of the ends of the true back edge."""
    return {"crew": 250.0, "vee": 250.0, "boat": 262.0, "strap": 330.0}[neck]


def inside_shot(scene: Scene, move: F32, gain: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> InsideShot:
    """The same garment with its neck closed by its inner back, moved by `move` [2,3] and in another light."""
    closed = scene.garment | scene.interior
    rgb = _paint(closed, np.zeros_like(closed))
    rgb[scene.interior] = (rgb[scene.interior] * 0.8).astype(np.uint8)
    rows, columns = np.nonzero(scene.interior)
    row = int(np.median(rows)) - 6
    rgb[row : row + 12, int(np.median(columns)) - 30 : int(np.median(columns)) + 30] = 250
    lit = np.clip(_softened(rgb) * np.array(gain, np.float32), 0, 255).astype(np.uint8)
    there = replace(
        scene,
        rgb=_moved(lit, move, tuple(int(min(255, c * g)) for c, g in zip(GROUND, gain, strict=True))),
        garment=_moved(closed.astype(np.uint8), move, (0,)) > 0,
        body=np.zeros_like(closed),
        interior=np.zeros_like(closed),
    )
    return InsideShot(there.picture, there.maps)


def draw_skirt() -> Scene:
    """A skirt on a waist: its front waistband hangs 18 px, the back one stands level."""
    share = np.abs(_columns() - _MIDDLE) / 130
    front = 300 + 18 * (1 - np.minimum(share, 1) ** 2)
    half = 130 + (_rows() - 300) * 0.25
    skirt = (np.abs(_columns() - _MIDDLE) < half) & (_rows() > front) & (_rows() < 760)
    body = (np.abs(_columns() - _MIDDLE) < 126) & (_rows() < 880) & ~skirt
    interior = body & (_rows() > 298) & (_rows() < front + 1)
    return Scene(_softened(_paint(skirt, body)), skirt, body, interior, np.zeros_like(skirt))


def with_hand(scene: Scene, centre: tuple[int, int], radius: int = 40) -> tuple[Scene, Bools]:
    """The scene with a hand over the garment, and where it hides some of it."""
    hand = (_columns() - centre[0]) ** 2 + (_rows() - centre[1]) ** 2 < radius**2
    rgb = scene.rgb.copy()
    rgb[hand] = SKIN
    hidden = hand & scene.garment
    return replace(scene, rgb=rgb, garment=scene.garment & ~hand, body=scene.body | hand), hidden


def ragged(maps: Maps, seed: int = 0) -> Maps:
    """The interior map frayed as a weak network would have it."""
    noise = np.random.default_rng(seed).random((maps.interior.shape[0] // 2, maps.interior.shape[1] // 2))
    holes = cv2.resize(noise, maps.interior.shape[::-1], interpolation=cv2.INTER_NEAREST) < 0.18
    return Maps(maps.classes, np.where(holes, np.float32(0), maps.interior))


def _hole(neck: str) -> Bools:
    x, y, half = _columns() - _MIDDLE, _rows(), _half_width(neck)
    if neck == "vee":
        return (np.abs(x) < half * (1 - (y - 240) / 170)) & (y < 410)
    depth = {"crew": 60, "boat": 40, "strap": 130}[neck]
    top = 255 if neck != "strap" else 270
    return ((x / half) ** 2 + (np.maximum(y - top, 0) / depth) ** 2 < 1) & (y < top + depth)


def _half_width(neck: str) -> float:
    return {"crew": 62.0, "vee": 70.0, "boat": 105.0, "strap": 92.0}[neck]


def _trunk(neck: str) -> Bools:
    half = _half_width(neck)
    if neck == "strap":
        corners: list[tuple[float, float]] = [
            (-half - 12, 200),
            (-half + 4, 200),
            (half - 4, 200),
            (half + 12, 200),
            (half + 20, 330),
        ]
        corners += [(120, 380), (105, 700), (-105, 700), (-120, 380), (-half - 20, 330)]
    else:
        top = back_edge(neck) - 5
        corners = [(-half - 4, top), (half + 4, top), (165, 290), (125, 380), (115, 700)]
        corners += [(-115, 700), (-125, 380), (-165, 290)]
    return _polygon(corners)


def _sleeves() -> Bools:
    left = [(-150, 300), (-235, 470), (-150, 600)]
    right = [(150, 300), (190, 480), (205, 640)]
    return _tube(left, 56) | _tube(right, 56)


def _limbs() -> Bools:
    return _tube([(-235, 470), (-150, 600), (-110, 620)], 36) | _tube([(190, 480), (210, 700)], 36)


def _body() -> Bools:
    neck = (np.abs(_columns() - _MIDDLE) < 50) & (_rows() > 120) & (_rows() < 420)
    head = ((_columns() - _MIDDLE) / 75) ** 2 + ((_rows() - 110) / 95) ** 2 < 1
    chest = (np.abs(_columns() - _MIDDLE) < 118) & (_rows() > 262) & (_rows() < 690)
    shoulders = _polygon([(-50, 225), (50, 225), (150, 290), (-150, 290)])
    return neck | head | chest | shoulders


def _paint(garment: Bools, body: Bools) -> U8:
    rgb = np.empty((HEIGHT, WIDTH, 3), np.float32)
    rgb[:] = GROUND
    rgb[body] = SKIN
    knit = 6 * np.sin(_columns() * 1.1) * np.sin(_rows() * 0.9)
    rgb[garment] = (np.array(CLOTH, np.float32) + knit[..., None])[garment]
    return np.asarray(np.clip(rgb, 0, 255), np.uint8)


def _softened(rgb: U8) -> U8:
    noise = np.random.default_rng(3).normal(0, 1.5, rgb.shape)
    return np.asarray(np.clip(cv2.GaussianBlur(rgb, (3, 3), 0) + noise, 0, 255), np.uint8)


def _moved(plane: U8, move: F32, beyond: tuple[int, ...]) -> U8:
    moved = cv2.warpAffine(plane, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_CONSTANT, borderValue=beyond)
    return np.asarray(moved, np.uint8)


def _enclosed(figure: Bools) -> Bools:
    padded = cv2.copyMakeBorder(figure.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(padded, None, (0, 0), 2)
    return np.asarray(padded[1:-1, 1:-1] == 0, np.bool_)


def _polygon(corners: Sequence[tuple[float, float]]) -> Bools:
    points = np.array([(x + _MIDDLE, y) for x, y in corners], np.int32)
    return np.asarray(cv2.fillPoly(np.zeros((HEIGHT, WIDTH), np.uint8), [points], 1), np.bool_)


def _tube(line: Sequence[tuple[float, float]], width: int) -> Bools:
    points = np.array([(x + _MIDDLE, y) for x, y in line], np.int32)
    drawn = cv2.polylines(np.zeros((HEIGHT, WIDTH), np.uint8), [points], False, 1, width)
    return np.asarray(drawn, np.bool_)


def _small(mask: Bools) -> F32:
    size = (WIDTH // _STEP, HEIGHT // _STEP)
    return np.asarray(cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)


def _rows() -> F32:
    return np.broadcast_to(np.arange(HEIGHT, dtype=np.float32)[:, None], (HEIGHT, WIDTH))


def _columns() -> F32:
    return np.broadcast_to(np.arange(WIDTH, dtype=np.float32), (HEIGHT, WIDTH))
