"""The seam between the worker and the pipeline: photo bytes in, result bytes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from libs.common.contracts.options import RenderOptions
from libs.common.telemetry import logger
from services.inference.errors import MarksRefused, ModelRefused
from services.inference.human_models.decoded import DecodedPersons
from services.inference.models.card import Precision
from services.inference.models.pool import Sessions
from services.inference.models.providers import Tuning
from services.inference.models.registry import DEFAULT_MODEL, MODELS, Registry
from services.inference.models.rollout import Rollout
from services.inference.models.source import OnnxSource
from services.inference.pipeline.marks.manifest import Marker, Signing, read_pem, unsigned
from services.inference.pipeline.on_model.person import PersonShot
from services.inference.pipeline.on_model.render import render_on_model
from services.inference.pipeline.render import Render, render, use_one_core_a_render
from services.inference.pipeline.segment import Segmenter
from services.inference.settings import InferenceSettings
from services.inference.timing import Timed

_MIB = 1024 * 1024
_log = logger("inference.models")


class Renderer(Protocol):
    """Renders one photo (and its inside shot, if any) on the calling thread; several may call at once.

    PictureRefused for a picture that can't be rendered.
    """

    def __call__(self, photo: bytes, options: RenderOptions, inside: bytes | None = None) -> Render: ...


@runtime_checkable
class Dresses(Protocol):
    """What a Renderer that puts garments on people can do besides."""

    def dress(self, photo: bytes, options: RenderOptions, person: PersonShot) -> Render:
        """Render a garment's photo on a person, on the calling thread. PictureRefused for either photo."""


RendererFactory = Callable[[], Renderer]
"""Makes a renderer, warm. Picklable: a suspicious image is rendered in a process of its own."""


@dataclass(frozen=True, slots=True)
class OnnxRendererFactory:
    """The project's pipeline on ONNX Runtime: `provider` and `precision` of the settings.

    `model` and `canary` are references into `folder`, then into the models that come with the service; those
    of tenants are in `custom_folder`.
    `memory_mib` is what open models may take together. `marker` signs results.
    """

    provider: str = "auto"
    model: str = DEFAULT_MODEL
    precision: str = Precision.AUTO
    canary: str | None = None
    canary_share: float = 0.0
    folder: Path | None = None
    custom_folder: Path | None = None
    memory_mib: int = 2048
    marker: Marker = unsigned
    tuning: Tuning = field(default_factory=Tuning)

    @classmethod
    def of(cls, settings: InferenceSettings, provider: str | None = None) -> OnnxRendererFactory:
        """As the service's settings say, but for the execution provider if another is named."""
        return cls(
            provider=provider or settings.provider,
            model=settings.model,
            precision=settings.precision,
            canary=settings.canary,
            canary_share=settings.canary_share,
            folder=settings.models,
            custom_folder=settings.custom_models,
            memory_mib=settings.model_memory_mib,
            marker=marker_of(settings),
            tuning=_tuning(settings),
        )

    @property
    def registry(self) -> Registry:
        """Where models are looked up."""
        return Registry(*(folder for folder in (self.folder, MODELS, self.custom_folder) if folder))

    def sessions(self) -> Sessions:
        """The models, each opened when it is first asked for."""
        source = OnnxSource(self.registry, self.provider, Precision(self.precision), tuning=self.tuning)
        return Sessions(source, self.memory_mib * _MIB)

    def __call__(self) -> OnnxRenderer:
        use_one_core_a_render()
        rollout = Rollout(self.model, self.canary, self.canary_share)
        return OnnxRenderer(self.sessions(), rollout, self.marker)


class OnnxRenderer:
    """Photos through the pipeline with warm models; a photo has one and the same from beginning to end."""

    def __init__(
        self,
        sessions: Sessions,
        rollout: Rollout,
        marker: Marker = unsigned,
        persons: DecodedPersons | None = None,
    ) -> None:
        self.sessions = sessions
        self._marker = marker
        self._persons = persons or DecodedPersons()
        self._rollout = rollout
        for reference in rollout.references:
            with sessions.lease(reference):
                pass

    def through(self, rollout: Rollout) -> OnnxRenderer:
        """The same sessions by another rollout, whose models are opened now. ModelRefused."""
        return OnnxRenderer(self.sessions, rollout, self._marker, self._persons)

    def segmenter_for(self, photo: bytes) -> AbstractContextManager[Segmenter]:
        """The model that looks at this photo, for as long as it is needed."""
        return self.sessions.lease(self._rollout.model_for(photo))

    def __call__(self, photo: bytes, options: RenderOptions, inside: bytes | None = None) -> Render:
        with self.segmenter_for(photo) as segmenter:
            timed = Timed(segmenter)
            return self._marker(timed.watch.on(render(photo, options, timed, inside)))

    def forget_person(self, sha256: str) -> None:
        """Their photo, of this SHA-256 (hex), was deleted."""
        self._persons.forget(sha256)

    def dress(self, photo: bytes, options: RenderOptions, person: PersonShot) -> Render:
        with self.segmenter_for(photo) as segmenter:
            timed = Timed(segmenter)
            wearer = self._persons.of(person, segmenter.name)
            return self._marker(timed.watch.on(render_on_model(photo, options, timed, wearer)))


def marker_of(settings: InferenceSettings) -> Marker:
    """MarksRefused where results are to be signed and can't be."""
    chain, key = settings.c2pa_certificate, settings.c2pa_key
    if chain is None and key is None:
        return unsigned
    if chain is None or key is None:
        raise MarksRefused("c2pa_certificate and c2pa_key: give both, or neither")
    signing = Signing(read_pem(chain), read_pem(key), settings.c2pa_algorithm, settings.c2pa_time_url)
    signing.check()
    return signing


def _tuning(settings: InferenceSettings) -> Tuning:
    return Tuning(
        max_batch=settings.max_batch,
        delay_ms=settings.batch_delay_ms,
        gpu_sessions=settings.gpu_sessions,
        gpu_memory_mib=settings.gpu_memory_mib,
        cuda_graphs=settings.cuda_graphs,
        engine_cache=settings.engine_cache,
    )


async def follow_models(sessions: Sessions, every_s: float) -> None:
    """Look for changed models for ever; a new one serves once it is warm, and a bad one never does."""
    while True:
        await asyncio.sleep(every_s)
        try:
            for name in await asyncio.to_thread(sessions.refresh):
                _log.info("model_exchanged", model=name)
        except ModelRefused as refused:
            _log.error("model_refused", reason=str(refused))
