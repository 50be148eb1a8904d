"""The inference service with the render left out: what remains is the line around it."""

from __future__ import annotations

from functools import partial

from libs.common.contracts.inference import Verdict
from libs.common.contracts.options import RenderOptions
from libs.common.lifecycle import serve
from services.inference.pipeline.render import Render
from services.inference.renderer import Renderer
from services.inference.settings import InferenceSettings
from services.inference.wiring import wire


def no_render(photo: bytes, options: RenderOptions) -> Render:
    """The photo itself, at once."""
    return Render(
        data=photo,
        media_type="image/jpeg",
        width=1,
        height=1,
        verdict=Verdict.PUBLISHABLE,
        score=1.0,
        reasons=(),
        model="none@0",
        timings={},
    )


def factory() -> Renderer:
    return no_render


if __name__ == "__main__":
    serve("inference", InferenceSettings, partial(wire, factory=factory))
