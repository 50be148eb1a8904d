"""The ceiling: the same pictures through the pipeline in a tight loop, one process a core, no services."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
import zipfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bench import photos
from libs.common.contracts.options import RenderOptions
from services.inference.renderer import OnnxRendererFactory, Renderer

PHOTOS = 300
_renderer: Renderer | None = None


async def run() -> dict[str, float]:
    return {"images_per_s": await asyncio.to_thread(images_per_s, photos.archive(PHOTOS))}


def images_per_s(archive: Path) -> float:
    """Images of the archive per second on all cores, models loaded and warm."""
    cores = os.cpu_count() or 1
    with zipfile.ZipFile(archive) as zipped:
        pictures = [zipped.read(name) for name in zipped.namelist()]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(cores, context, initializer=_prepare) as pool:
        list(pool.map(_render_all, [pictures[:1]] * cores))
        began = time.perf_counter()
        list(pool.map(_render_all, _deal(pictures, cores * 8)))
        return len(pictures) / (time.perf_counter() - began)


def _deal(pictures: Sequence[bytes], hands: int) -> list[Sequence[bytes]]:
    return [pictures[hand::hands] for hand in range(hands)]


def _prepare() -> None:
    global _renderer
    _renderer = OnnxRendererFactory(provider="cpu", model="mannequin")()


def _render_all(pictures: Sequence[bytes]) -> int:
    assert _renderer is not None
    return sum(len(_renderer(picture, RenderOptions()).result.data) > 0 for picture in pictures)
