"""The pipeline over an account's calls: its network from there, or a whole drawing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from libs.common.contracts.options import Render as Ask
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import Ability
from services.inference.errors import PictureRefused, RefusalCode
from services.inference.generated.on_model import render_drawn_on_model
from services.inference.generated.render import render_generated
from services.inference.human_models.decoded import DecodedPersons
from services.inference.models.card import ModelCard
from services.inference.models.pool import Sessions
from services.inference.pipeline.marks.manifest import Marker, unsigned
from services.inference.pipeline.on_model.person import PersonShot
from services.inference.pipeline.on_model.render import render_on_model
from services.inference.pipeline.render import Render, render, use_one_core_a_render
from services.inference.remote.calls import Calls
from services.inference.remote.segmenter import RemoteSegmenter, require_names
from services.inference.renderer import OnnxRendererFactory
from services.inference.shots import Shots, dressed, render_shots


@dataclass(frozen=True, slots=True)
class RemoteRendererFactory:
    """Picklable: a suspicious image is rendered in a process of its own. `models`: of the platform, on the
    CPU; its `model` names the card that remote endpoints are held to.
    """

    models: OnnxRendererFactory

    def __call__(self) -> RemoteRenderer:
        use_one_core_a_render()
        card = self.models.registry.card(self.models.model)
        require_names(card)
        return RemoteRenderer(card, self.models.sessions(), self.models.model, self.models.marker)


class RemoteRenderer:
    """Renders with one ability of an account. The platform's own model is opened when it is first needed:
    a drawing is locked to the photo's pixels by what that finds.
    """

    def __init__(self, card: ModelCard, sessions: Sessions, model: str, marker: Marker = unsigned) -> None:
        self._marker = marker
        self._card = card
        self._sessions = sessions
        self._model = model
        self._persons = DecodedPersons()

    def render(self, calls: Calls, ability: Ability, shots: Shots, options: RenderOptions) -> Render:
        """On the calling thread. PictureRefused, CallFailed."""
        if options.render is Ask.ON_MODEL:
            return self._marker(dressed(_Dressing(self, calls, ability), shots, options))
        ways: dict[Ability, Callable[..., Render]] = {
            Ability.SEGMENT: self._segmented,
            Ability.GHOST: self._generated,
        }
        way = ways.get(ability)
        if way is None:
            raise PictureRefused(RefusalCode.RENDER_FAILED, f"nothing here renders {ability.value} pictures.")

        def renderer(photo: bytes, options: RenderOptions, inside: bytes | None = None) -> Render:
            return way(calls, photo, options, inside)

        return self._marker(render_shots(renderer, shots, options))

    def dressed(
        self, calls: Calls, ability: Ability, photo: bytes, options: RenderOptions, shot: PersonShot
    ) -> Render:
        """A garment on a person: as the account draws it, or laid on by the platform around its network."""
        if ability is Ability.SEGMENT:
            segmenter = RemoteSegmenter(self._card, calls.segment)
            # What its network said of a person is kept: each look is a call that the tenant pays for.
            person = self._persons.of(shot, f"{segmenter.name} on an account")
            return render_on_model(photo, options, segmenter, person)
        with self._sessions.lease(self._model) as own:
            person = self._persons.of(shot, own.name)
            return render_drawn_on_model(photo, options, own, person, calls.dress)

    def _segmented(self, calls: Calls, photo: bytes, options: RenderOptions, inside: bytes | None) -> Render:
        return render(photo, options, RemoteSegmenter(self._card, calls.segment), inside)

    def _generated(self, calls: Calls, photo: bytes, options: RenderOptions, inside: bytes | None) -> Render:
        with self._sessions.lease(self._model) as segmenter:
            return render_generated(photo, options, segmenter, calls.draw, inside)


@dataclass(frozen=True, slots=True)
class _Dressing:
    """What puts garments on people with one ability of an account."""

    renderer: RemoteRenderer
    calls: Calls
    ability: Ability

    def dress(self, photo: bytes, options: RenderOptions, person: PersonShot) -> Render:
        return self.renderer.dressed(self.calls, self.ability, photo, options, person)
