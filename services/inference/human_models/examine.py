"""Looking at a photo on a model of this process, or of a child that the photo may kill."""

from __future__ import annotations

import asyncio
from functools import partial

from services.inference.engine import sorted_errors
from services.inference.errors import PictureRefused, RefusalCode, WorkerKilled
from services.inference.human_models.clean import Cleaned, cleaned
from services.inference.isolation import Isolation
from services.inference.renderer import OnnxRenderer, RendererFactory

_TRIES = 2
"""In a child, after the death of the worker that had the photo first."""
_renderer: OnnxRenderer | None = None


class Examiner:
    """Photos in, clean photos out. PictureRefused says why there is none."""

    def __init__(self, renderer: OnnxRenderer, factory: RendererFactory, *, image_timeout_s: float) -> None:
        self._renderer = renderer
        self._isolation = Isolation(partial(_prepare, factory), timeout_s=image_timeout_s)

    async def here(self, photo: bytes) -> Cleaned:
        """On a thread of this process."""
        with sorted_errors():
            return await asyncio.to_thread(_on, self._renderer, photo)

    async def apart(self, photo: bytes) -> Cleaned:
        """In a process of its own, which it may end or keep for too long a few times."""
        for _ in range(_TRIES):
            try:
                with sorted_errors():
                    return await self._isolation.run(_in_child, photo)
            except WorkerKilled:
                continue
        raise PictureRefused(RefusalCode.KILLED_WORKER, str(WorkerKilled()))

    async def close(self) -> None:
        await self._isolation.close()


def _on(renderer: OnnxRenderer, photo: bytes) -> Cleaned:
    with renderer.segmenter_for(photo) as segmenter:
        return cleaned(photo, segmenter)


def _prepare(factory: RendererFactory) -> None:
    global _renderer
    made = factory()
    assert isinstance(made, OnnxRenderer)
    _renderer = made


def _in_child(photo: bytes) -> Cleaned:
    assert _renderer is not None
    return _on(_renderer, photo)
