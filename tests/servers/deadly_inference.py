"""The inference service, but for pictures that end the process that renders them."""

from __future__ import annotations

import os
from functools import partial

from libs.common.contracts.options import RenderOptions
from libs.common.lifecycle import serve
from services.inference.pipeline.render import Render
from services.inference.renderer import OnnxRendererFactory, Renderer
from services.inference.settings import InferenceSettings
from services.inference.wiring import wire

DEADLY = b"this picture kills"


class DeadlyRenderer:
    """Renders everything but what holds the mark."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    def __call__(self, photo: bytes, options: RenderOptions, inside: bytes | None = None) -> Render:
        if DEADLY in photo:
            os._exit(139)
        return self._renderer(photo, options, inside)


def factory() -> Renderer:
    return DeadlyRenderer(OnnxRendererFactory(provider="cpu", model="mannequin")())


if __name__ == "__main__":
    serve("inference", InferenceSettings, partial(wire, factory=factory))
