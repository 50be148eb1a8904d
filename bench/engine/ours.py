"""Our pipeline in processes of their own, one a core."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from rich.progress import track

from bench.engine.photos import Studio
from libs.common.contracts.options import RenderOptions
from services.inference.renderer import OnnxRendererFactory, Renderer

_LEAST_MS = 0.1
"""Stages that these options leave out take less."""
_renderer: Renderer | None = None


@dataclass(frozen=True, slots=True)
class Rendered:
    """Of one render: ms by stage, bytes of the result, and the process's peak memory so far (MiB)."""

    stages: Mapping[str, float]
    size: int
    peak_mib: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Means over all renders; `peak_mib` is the largest process's."""

    images_per_s: float
    stages: Mapping[str, float]
    kib_a_result: float
    peak_mib: float


def one_core(photos: Sequence[Studio], renders: int) -> Measured:
    """One process that the system keeps on one core."""
    return _measure("engine, one core", photos, renders, cores()[:1])


def all_cores(photos: Sequence[Studio], renders: int) -> Measured:
    """As many processes as there are cores."""
    return _measure("engine, all cores", photos, renders, cores())


def cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def _measure(title: str, photos: Sequence[Studio], renders: int, on: list[int]) -> Measured:
    pictures = [photo.data for photo in photos]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(on), context, initializer=_prepare, initargs=(on,)) as pool:
        warm = [pool.submit(_render, picture) for picture in pictures[: 2 * len(on)]]
        _results("warming up", warm)
        began = time.perf_counter()
        rendered = _results(
            title, [pool.submit(_render, pictures[n % len(pictures)]) for n in range(renders)]
        )
        seconds = time.perf_counter() - began
    names = dict.fromkeys(stage for one in rendered for stage, ms in one.stages.items() if ms >= _LEAST_MS)
    stages = {name: mean(one.stages.get(name, 0.0) for one in rendered) for name in names}
    kib = mean(one.size for one in rendered) / 1024
    return Measured(renders / seconds, stages, kib, max(one.peak_mib for one in rendered))


def _results(title: str, futures: Sequence[Future[Rendered]]) -> list[Rendered]:
    done = track(as_completed(futures), title, total=len(futures), transient=True)
    return [future.result() for future in done]


def _prepare(on: list[int]) -> None:
    global _renderer
    os.sched_setaffinity(0, on)
    _renderer = OnnxRendererFactory(provider="cpu")()


def _render(picture: bytes) -> Rendered:
    assert _renderer is not None
    render = _renderer(picture, RenderOptions())
    return Rendered(render.timings, len(render.result.data), peak_mib())


def peak_mib() -> float:
    """The most memory that this process had at a time; `getrusage` would count its parent's in."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
