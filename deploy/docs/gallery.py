"""The pictures of the options gallery: one drawn photo, rendered with each option by itself.

Run by `python -m deploy.docs.gallery` when the engine's results changed; what it writes is part of the docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.progress import track

from libs.common.contracts.options import RenderOptions
from services.inference.pipeline.arrays import U8
from services.inference.renderer import OnnxRendererFactory
from training.photos import sample_photo

FOLDER = Path(__file__).parents[2] / "docs" / "assets" / "options"
SCENE = 8
"""The number that the generator draws the photo by."""
SIZE = (1333, 1000)
SHOWN = 360
QUALITY = 82
WAYS: Mapping[str, Mapping[str, Any]] = {
    "result": {},
    "background": {"background": "#f2efe9"},
    "gradient": {"background": "#ffffff..#c9d3df"},
    "shadow-soft": {"background": "#ffffff", "shadow": "soft"},
    "shadow-contact": {"background": "#ffffff", "shadow": "contact"},
    "hollow-off": {"hollow": False},
    "crop": {"crop": True, "background": "#ffffff"},
    "crop-margin": {"crop": True, "margin": 0.2, "background": "#ffffff"},
    "fill": {"fill": 0.9, "background": "#ffffff"},
    "aspect": {"aspect": "4:5", "crop": True, "background": "#ffffff"},
    "align-catalogue": {"align": "catalogue", "background": "#ffffff"},
    "preset-amazon": {"preset": "amazon"},
    "preset-shopify": {"preset": "shopify"},
}


def write() -> None:
    """Draws, renders and writes every picture anew."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    renderer = OnnxRendererFactory()()
    photo = sample_photo(SCENE, SIZE).rgb
    sent = cv2.imencode(".png", cv2.cvtColor(photo, cv2.COLOR_RGB2BGR))[1].tobytes()
    _save("photo", photo[..., ::-1])
    for name, options in track(WAYS.items(), "Rendering"):
        asked = RenderOptions.model_validate({"artefacts": name == "result", **options})
        made = renderer(sent, asked)
        _save(name, _decoded(made.result.data))
        if name == "result":
            for kept in made.artefacts:
                _save(f"artefact-{kept.name}", _visible(kept.name, _decoded(kept.data)))


def _decoded(data: bytes) -> U8:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture.astype(np.uint8)


def _visible(name: str, mask: U8) -> U8:
    """Classes are small numbers, all but black to the eye."""
    return mask * (255 // max(1, int(mask.max()))) if name == "classes" else mask


def _save(name: str, picture: U8) -> None:
    """As a small WebP; what is transparent stays so."""
    height, width = picture.shape[:2]
    scale = SHOWN / max(height, width)
    small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(FOLDER / f"{name}.webp"), small, [cv2.IMWRITE_WEBP_QUALITY, QUALITY])


if __name__ == "__main__":
    write()
