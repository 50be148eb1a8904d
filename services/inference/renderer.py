"""The seam between the worker and the pipeline: photo bytes in, result bytes out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from libs.common.contracts.options import RenderOptions
from libs.common.telemetry import logger
from services.inference.errors import ModelRefused
from services.inference.models.card import Precision
from services.inference.models.pool import Sessions
from services.inference.models.providers import Tuning
from services.inference.models.registry import DEFAULT_MODEL, MODELS, Registry
from services.inference.models.rollout import Rollout
from services.inference.models.source import OnnxSource
from services.inference.pipeline.render import Render, render, use_one_core_a_render
from services.inference.settings import InferenceSettings
from services.inference.timing import Timed

_MIB = 1024 * 1024
_log = logger("inference.models")


class Renderer(Protocol):
    """Renders one photo (and its inside shot, if any) on the calling thread; several may call at once.

    PictureRefused for a picture that can't be rendered.
    """

    def __call__(self, photo: bytes, options: RenderOptions, inside: bytes | None = None) -> Render: ...


RendererFactory = Callable[[], Renderer]
"""Makes a renderer, warm. Picklable: a suspicious image is rendered in a process of its own."""


@dataclass(frozen=True, slots=True)
class OnnxRendererFactory:
    """The project's pipeline on ONNX Runtime: `provider` and `precision` of the settings.

    `model` and `canary` are references into `folder`, then into the models that come with the service.
    `memory_mib` is what open models may take together.
    """

    provider: str = "auto"
    model: str = DEFAULT_MODEL
    precision: str = Precision.AUTO
    canary: str | None = None
    canary_share: float = 0.0
    folder: Path | None = None
    memory_mib: int = 2048
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
            memory_mib=settings.model_memory_mib,
            tuning=_tuning(settings),
        )

    @property
    def registry(self) -> Registry:
        """Where models are looked up."""
        return Registry(*([self.folder] if self.folder else []), MODELS)

    def sessions(self) -> Sessions:
        """The models, each opened when it is first asked for."""
        source = OnnxSource(self.registry, self.provider, Precision(self.precision), tuning=self.tuning)
        return Sessions(source, self.memory_mib * _MIB)

    def __call__(self) -> OnnxRenderer:
        use_one_core_a_render()
        return OnnxRenderer(self.sessions(), Rollout(self.model, self.canary, self.canary_share))


class OnnxRenderer:
    """Photos through the pipeline with warm models; a photo has one and the same from beginning to end."""

    def __init__(self, sessions: Sessions, rollout: Rollout) -> None:
        self.sessions = sessions
        self._rollout = rollout
        for reference in rollout.references:
            with sessions.lease(reference):
                pass

    def __call__(self, photo: bytes, options: RenderOptions, inside: bytes | None = None) -> Render:
        with self.sessions.lease(self._rollout.model_for(photo)) as segmenter:
            timed = Timed(segmenter)
            return timed.watch.on(render(photo, options, timed, inside))


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
