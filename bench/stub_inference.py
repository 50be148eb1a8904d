"""The inference service with the render left out: what remains is the line around it."""

from __future__ import annotations

from functools import partial

from libs.common.contracts.inference import Landmarks, Verdict
from libs.common.contracts.options import RenderOptions
from libs.common.lifecycle import serve
from services.inference.pipeline.artefacts import Encoded
from services.inference.pipeline.hollow import Source
from services.inference.pipeline.render import Render
from services.inference.renderer import Renderer
from services.inference.settings import InferenceSettings
from services.inference.wiring import wire


def no_render(photo: bytes, options: RenderOptions, inside: bytes | None = None) -> Render:
    """The photo itself, at once."""
    return Render(
        result=Encoded("result", photo, "image/jpeg", 1, 1),
        renditions=(),
        artefacts=(),
        verdict=Verdict.PUBLISHABLE,
        score=1.0,
        findings=(),
        preserved_fraction=1.0,
        inner_back=Source.NONE,
        landmarks=Landmarks(),
        model="none@0",
        photo_size=(1, 1),
        attempts=1,
        timings={},
    )


def factory() -> Renderer:
    return no_render


if __name__ == "__main__":
    serve("inference", InferenceSettings, partial(wire, factory=factory))
