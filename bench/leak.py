"""Memory over 5,000 renders in one worker process: what it grows by once it is warm."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import psutil
from rich.progress import track

from bench.engine.photos import studio_photos
from libs.common.contracts.options import ImageFormat, RenderOptions
from services.inference.renderer import OnnxRendererFactory, Renderer

RENDERS, WARM = 5_000, 500
EVERY = 100
_SIZES = ((300, 225), (480, 360), (400, 600), (640, 480))
"""Height and width, px: they take turns, so that every buffer is asked for in every size."""
_SCENES = 6
_MIB = 2**20
_OPTIONS = (
    RenderOptions(),
    RenderOptions(background="#ffffff", format=ImageFormat.JPEG),
    RenderOptions(crop=True, size=500),
    RenderOptions(format=ImageFormat.WEBP, artefacts=True),
)
_renderer: Renderer | None = None
_photos: Sequence[bytes] = ()


async def run(renders: int = RENDERS, warm: int = WARM) -> dict[str, float]:
    return await asyncio.to_thread(figures, renders, warm)


def figures(renders: int, warm: int) -> dict[str, float]:
    """RSS (MiB) after the warm-up, at the end, at most, and its growth per 1,000 images by least squares."""
    taken, sizes = zip(*samples(renders), strict=True)
    at = np.array(taken)
    warmed = at >= warm
    rss = np.array(sizes)[warmed]
    slope = float(np.polyfit(at[warmed], rss, 1)[0]) if warmed.sum() > 1 else 0.0
    return {
        "mib_growth_per_1000": slope * 1000,
        "mib_after_warm_up": float(rss[0]),
        "mib_at_the_end": float(rss[-1]),
        "mib_at_most": float(rss.max()),
        "renders": float(renders),
    }


def samples(renders: int) -> Iterator[tuple[int, float]]:
    """Renders done and RSS (MiB) of the process that does them, every 100."""
    context = multiprocessing.get_context("spawn")
    photos = [photo.data for size in _SIZES for photo in studio_photos(_SCENES, size)]
    with ProcessPoolExecutor(1, context, initializer=_prepare, initargs=(photos,)) as pool:
        for start in track(range(0, renders, EVERY), "leak", transient=True):
            count = min(EVERY, renders - start)
            yield start + count, pool.submit(_render, start, count).result()


def _prepare(photos: Sequence[bytes]) -> None:
    global _renderer, _photos
    _renderer, _photos = OnnxRendererFactory(provider="cpu")(), photos


def _render(start: int, count: int) -> float:
    assert _renderer is not None
    for number in range(start, start + count):
        _renderer(_photos[number % len(_photos)], _OPTIONS[number // len(_photos) % len(_OPTIONS)])
    return psutil.Process().memory_info().rss / _MIB
