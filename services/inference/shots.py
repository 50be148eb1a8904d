"""The photos of one garment: its front and, if there is one, the shot of its turned-out inner back."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from libs.common.contracts.inference import Finding, RenderItem, Verdict
from libs.common.contracts.options import Render as Ask
from libs.common.contracts.options import RenderOptions
from services.inference.errors import PictureRefused, RefusalCode
from services.inference.pipeline.on_model.person import PersonShot
from services.inference.pipeline.render import Render
from services.inference.renderer import Dresses, Renderer


@dataclass(frozen=True, slots=True)
class Shots:
    """Files as they were sent. `lost`: why there is no inside shot though there should be one. `person` is
    who wears the garment, with `render: on_model`.
    """

    front: bytes = field(repr=False)
    inside: bytes | None = field(default=None, repr=False)
    lost: str | None = None
    person: PersonShot | None = None


def options_for(item: RenderItem, options: RenderOptions) -> RenderOptions:
    """A chunk's options for one of its images, which may be of another garment than the others."""
    return options if item.garment is None else options.model_copy(update={"garment": item.garment})


def render_shots(renderer: Renderer, shots: Shots, options: RenderOptions) -> Render:
    """Render the front. PictureRefused if that is at fault.

    An inside shot that can't be used costs the result no more than the real inner back: a finding says so,
    and somebody should look at it.
    """
    if options.render is Ask.ON_MODEL:
        return dressed(renderer, shots, options)
    lost = shots.lost
    if shots.inside is not None:
        try:
            return renderer(shots.front, options, shots.inside)
        except PictureRefused as refused:
            lost = refused.detail
    render = renderer(shots.front, options)
    return render if lost is None else _without_inside(render, lost)


def dressed(renderer: object, shots: Shots, options: RenderOptions) -> Render:
    """Render the front on the person. An inside shot is of no use: the person is in the garment's openings.

    PictureRefused if a photo is at fault.
    """
    if shots.person is None or not isinstance(renderer, Dresses):
        raise PictureRefused(RefusalCode.RENDER_FAILED, "nothing here puts garments on people.")
    return renderer.dress(shots.front, options, shots.person)


def _without_inside(render: Render, reason: str) -> Render:
    detail = f"The inside shot could not be used, so the inner back is synthesised: {reason}"
    found = Finding(code="inside_unusable", detail=detail)
    verdict = Verdict.REVIEW if render.verdict is Verdict.PUBLISHABLE else render.verdict
    return replace(render, findings=(found, *render.findings), verdict=verdict)
