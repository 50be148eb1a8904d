"""Photos of a worn garment, a segmenter that knows their colours, and drawings that a provider might send."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.segment import Fit, Hint
from services.inference.providers.provider import Drawing
from tests.unit.hollow_scenes import CLOTH, GROUND, SKIN, Scene
from tests.unit.picture_samples import encoded

MODEL = "painter-1"
LABEL = (250, 250, 60)
"""The colour of what is drawn in the inner back and is nowhere in the photo."""
WHITE = (255, 255, 255)
_INNER = tuple(level * 0.8 for level in CLOTH)
_COLOURS = np.array([GROUND, CLOTH, SKIN, WHITE, _INNER, LABEL], np.float32)
_CLASSES = np.array([0, 1, 2, 0, 1, 1])


class SceneSegmenter:
    """Takes each pixel for the class whose colour is nearest; knows no interiors."""

    name = "scenes@1"
    fit = Fit.LETTERBOX
    input_size = (384, 320)

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        eye = np.eye(5, dtype=np.float32) * np.float32(0.97) + np.float32(0.01)
        eye[:, 4] = 0
        return np.stack([eye[_classes(sheet[::2, ::2])].transpose(2, 0, 1) for sheet in batch])


def ghost(scene: Scene, ground: tuple[int, int, int] = WHITE) -> U8:
    """The scene's garment without anybody in it: its inner back shows, and a label in that."""
    rgb = scene.rgb.copy()
    rgb[~scene.garment] = ground
    rgb[scene.interior] = np.array(_INNER, np.uint8)
    rows, columns = np.nonzero(scene.interior)
    middle = int(np.median(columns))
    rgb[int(np.median(rows)) - 6 :, middle - 20 : middle + 20][
        scene.interior[int(np.median(rows)) - 6 :, middle - 20 : middle + 20]
    ] = LABEL
    return np.asarray(cv2.GaussianBlur(rgb, (3, 3), 0), np.uint8)


def moved(rgb: U8, x: float, y: float, scale: float = 1.0) -> U8:
    """The picture moved (px) and enlarged about its corner."""
    matrix = np.array([[scale, 0, x], [0, scale, y]], np.float32)
    size = (rgb.shape[1], rgb.shape[0])
    return np.asarray(cv2.warpAffine(rgb, matrix, size, borderValue=WHITE), np.uint8)


def lit(rgb: U8, *gain: float) -> U8:
    """The picture in another light; white stays."""
    changed = np.clip(rgb * np.array(gain, np.float32), 0, 255).astype(np.uint8)
    changed[(rgb > 250).all(axis=2)] = 255
    return changed


@dataclass
class Painter:
    """Draws what `paint` makes of the sheet that it is sent; `sent`: those so far."""

    paint: Callable[[U8], bytes]
    media_type: str = "image/png"
    sent: list[bytes] = field(default_factory=list)

    def draw(self, photo: bytes, media_type: str) -> Drawing:
        assert media_type == "image/jpeg"
        self.sent.append(photo)
        sheet = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
        return Drawing(self.paint(np.asarray(sheet, np.uint8)[..., ::-1]), self.media_type, MODEL)


def painter_of(rgb: U8, *, side: int = 1024) -> Painter:
    """Sends this picture of the photo's frame, laid on the sheet, at the size of a generative model's."""

    def paint(sheet: U8) -> bytes:
        canvas = np.full_like(sheet, 255)
        scale = min(sheet.shape[0] / rgb.shape[0], sheet.shape[1] / rgb.shape[1], 1.0)
        size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
        small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        top, left = (canvas.shape[0] - size[1]) // 2, (canvas.shape[1] - size[0]) // 2
        canvas[top : top + size[1], left : left + size[0]] = small
        grow = side / max(canvas.shape)
        large = cv2.resize(canvas, None, fx=grow, fy=grow, interpolation=cv2.INTER_AREA)
        return encoded(np.asarray(large, np.uint8), "PNG")

    return Painter(paint)


def _classes(rgb: U8) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    distance = np.linalg.norm(rgb[..., None, :].astype(np.float32) - _COLOURS, axis=-1)
    return np.asarray(_CLASSES[np.argmin(distance, axis=-1)], np.intp)
