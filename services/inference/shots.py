"""The photos of one garment: its front and, if there is one, the shot of its turned-out inner back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from libs.common.contracts.inference import Finding, RenderItem, Verdict
from libs.common.contracts.options import RenderOptions
from services.inference.errors import PictureRefused
from services.inference.pipeline.render import Render
from services.inference.renderer import Renderer


@dataclass(frozen=True, slots=True)
class Shots:
    """Files as they were sent. `lost`: why there is no inside shot though there should be one."""

    front: bytes = field(repr=False)
    inside: bytes | None = field(default=None, repr=False)
    lost: str | None = None


def options_for(item: RenderItem, options: RenderOptions) -> RenderOptions:
    """A chunk's options for one of its images, which may be of another garment than the others."""
    return options if item.garment is None else options.model_copy(update={"garment": item.garment})


def render_shots(renderer: Renderer, shots: Shots, options: RenderOptions) -> Render:
    """Render the front. PictureRefused if that is at fault.

    An inside shot that can't be used costs the result no more than the real inner back: a finding says so,
    and somebody should look at it.
    """
    lost = shots.lost
    if shots.inside is not None:
        try:
            return renderer(shots.front, options, shots.inside)
        except PictureRefused as refused:
            lost = refused.detail
    render = renderer(shots.front, options)
    return render if lost is None else _without_inside(render, lost)


def _without_inside(render: Render, reason: str) -> Render:
    detail = f"The inside shot could not be used, so the inner back is synthesised: {reason}"
    found = Finding(code="inside_unusable", detail=detail)
    verdict = Verdict.REVIEW if render.verdict is Verdict.PUBLISHABLE else render.verdict
    return replace(render, findings=(found, *render.findings), verdict=verdict)
