"""A remote render in a process of its own, which a picture may end without taking others along.

Everything that could end a process (decoding, matting, encoding) runs in the child. Its calls are the
parent's: tensors and photos go over a pipe, so neither a secret nor a connection is ever in the child.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Ability, Fault
from services.inference.isolation import ask
from services.inference.pipeline.render import Render
from services.inference.providers.provider import CallFailed, Drawing, Tensors
from services.inference.remote.calls import Calls
from services.inference.remote.renderer import RemoteRenderer, RemoteRendererFactory
from services.inference.shots import Shots

_renderer: RemoteRenderer | None = None


class AskedCalls:
    """Calls, in the child."""

    def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        answer: Tensors = ask(("segment", inputs, outputs))
        return answer

    def draw(self, photo: bytes, media_type: str) -> Drawing:
        answer: Drawing = ask(("draw", photo, media_type))
        return answer

    def dress(self, photo: bytes, person: bytes, media_type: str) -> Drawing:
        answer: Drawing = ask(("dress", photo, person, media_type))
        return answer


def answered(calls: Calls, question: Any) -> Any:
    """In the parent: what the child asked for."""
    match question:
        case ("segment", inputs, outputs):
            return calls.segment(inputs, outputs)
        case ("draw", photo, media_type):
            return calls.draw(photo, media_type)
        case ("dress", photo, person, media_type):
            return calls.dress(photo, person, media_type)
        case _:
            raise LookupError("the child asked for what there is not")


def prepare(factory: RemoteRendererFactory) -> None:
    """In the child, first."""
    global _renderer
    _renderer = factory()


def render_apart(ability: Ability, shots: Shots, options: RenderOptions) -> Render | Fault:
    """In the child; of an answer that is no good, its fault."""
    assert _renderer is not None
    try:
        return _renderer.render(AskedCalls(), ability, shots, options)
    except CallFailed as failed:
        return failed.fault
