"""What a result promises, checked on the engine's own files: nothing here looks into the pipeline."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np

from libs.common.contracts.options import GarmentChoice, RenderOptions, Rendition
from services.inference.pipeline.arrays import U8, Bools
from services.inference.pipeline.render import Render, render
from services.inference.pipeline.segment import Hint, Segmenter
from training.evaluation.masks import iou

_CHOICES = {
    Hint.AUTO: GarmentChoice.AUTO,
    Hint.UPPER: GarmentChoice.TOP,
    Hint.LOWER: GarmentChoice.BOTTOM,
    Hint.FULL: GarmentChoice.DRESS,
}
_WHITE = Rendition(name="white", background="#ffffff")


def check(rgb: U8, hint: Hint, segmenter: Segmenter) -> dict[str, float]:
    """`identical`: share of the pixels said to be the photo's own that are, bit for bit, in every file.

    `again`: IoU of what is shown with what is shown when the result on white is rendered once more. `own`:
    the share of the shown garment that is the photo's own pixels.
    """
    options = RenderOptions(garment=_CHOICES[hint], artefacts=True, renditions=(_WHITE,))
    first = render(_png(rgb), options, segmenter)
    second = render(first.renditions[0].data, options, segmenter)
    return {
        "identical": _identical(rgb, first),
        "again": iou(_shown(first), _shown(second)),
        "own": first.preserved_fraction,
    }


def _identical(rgb: U8, made: Render) -> float:
    masks = {artefact.name: _read(artefact.data) for artefact in made.artefacts}
    own: Bools = (masks["alpha"] == 255) | (masks["synthesized"] == 0)
    if not own.any():
        return 1.0
    cut_out, on_white = _read(made.result.data), _read(made.renditions[0].data)
    same = (cut_out[own, :3] == rgb[own][:, ::-1]).all(1) & (cut_out[own, 3] == 255)
    same &= (on_white[own, :3] == rgb[own][:, ::-1]).all(1)
    return float(same.mean())


def _shown(made: Render) -> Bools:
    return np.asarray(_read(made.result.data)[..., 3] > 127, np.bool_)


def _png(rgb: U8) -> bytes:
    encoded = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), (cv2.IMWRITE_PNG_COMPRESSION, 1))[1]
    return encoded.tobytes()


def _read(data: bytes) -> U8:
    return cast("U8", cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))
