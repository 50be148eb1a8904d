"""The seam between the worker and the pipeline: photo bytes in, result bytes out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from libs.common.contracts.options import RenderOptions
from services.inference.models.registry import load_model
from services.inference.models.sessions import open_session
from services.inference.pipeline.render import Render, render, use_one_core_a_render
from services.inference.pipeline.segment import Segmenter


class Renderer(Protocol):
    """Renders one photo on the calling thread; safe to call from several at once.

    PictureRefused for a picture that can't be rendered.
    """

    def __call__(self, photo: bytes, options: RenderOptions) -> Render: ...


RendererFactory = Callable[[], Renderer]
"""Makes a renderer, warm. Picklable: a suspicious image is rendered in a process of its own."""


@dataclass(frozen=True, slots=True)
class OnnxRendererFactory:
    """The project's pipeline on ONNX Runtime: `provider` of the settings, `model` a folder of `models/`."""

    provider: str
    model: str

    def __call__(self) -> Renderer:
        use_one_core_a_render()
        return OnnxRenderer(open_session(load_model(self.model), provider=self.provider))


class OnnxRenderer:
    """Photos through the pipeline with one session, whose runs may overlap."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter

    def __call__(self, photo: bytes, options: RenderOptions) -> Render:
        return render(photo, options, self._segmenter)
