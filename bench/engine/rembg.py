"""rembg around the same network: from PyPI into a folder of its own, run in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import IO, Any

from rich.console import Console

from bench.engine.ours import cores
from bench.engine.photos import Studio
from bench.photos import FOLDER
from services.inference.models.card import Role
from services.inference.models.registry import DEFAULT_MODEL, MODELS, Registry
from services.inference.pipeline.segment import Hint

SITE = FOLDER / "rembg-site"
REQUIREMENTS = Path(__file__).parent / "rembg_requirements.txt"
_LIMIT_S = 1800.0
_console = Console()


@dataclass(frozen=True, slots=True)
class Peer:
    """Images per second, peak memory of the largest process, size of a result, and a folder of its masks."""

    one_core: float
    as_shipped: float
    process_a_core: float
    peak_mib: float
    kib_a_result: float
    masks: Path

    @property
    def rates(self) -> Mapping[str, float]:
        return {
            "rembg_images_per_s_one_core": self.one_core,
            "rembg_images_per_s_as_shipped": self.as_shipped,
            "rembg_images_per_s_process_a_core": self.process_a_core,
        }


def measure(photos: Sequence[Studio], one_core: int, all_cores: int) -> Peer:
    """As shipped is one process whose session takes every core for the network, and one for the rest."""
    _install()
    everywhere, masks = cores(), FOLDER / "rembg-masks"
    masks.mkdir(exist_ok=True)
    alone = _together("rembg, one core", [_job(photos, one_core, everywhere[:1], masks)])
    shipped = _together("rembg as shipped", [_job(photos, all_cores // 2, everywhere)])
    share = all_cores // len(everywhere)
    apart = _together(
        "rembg, a process a core", [_job(photos, share, [core], start=core) for core in everywhere]
    )
    everyone = [*alone, *shipped, *apart]
    return Peer(
        one_core=_rate(alone),
        as_shipped=_rate(shipped),
        process_a_core=_rate(apart),
        peak_mib=max(one["peak_mib"] for one in everyone),
        kib_a_result=mean(one["kib_a_result"] for one in everyone),
        masks=masks,
    )


def _rate(ran: Sequence[Mapping[str, float]]) -> float:
    return sum(one["images_per_s"] for one in ran)


def _job(
    photos: Sequence[Studio], renders: int, on: Sequence[int], masks: Path | None = None, start: int = 0
) -> dict[str, Any]:
    """What `rembg_app` is told; the model's file is the one that our own runs take.

    start: so that processes side by side do not render the same photo.
    """
    model = Registry().load(DEFAULT_MODEL)
    card = model.card
    file = next(file for name, file in card.files.items() if name == model.precision.value)
    return {
        "model": str(MODELS / DEFAULT_MODEL / file.file),
        "size": [card.input.width, card.input.height],
        "garment": card.output.roles(Hint.AUTO).index(Role.GARMENT),
        "hinted": card.hint is not None,
        "photos": [str(photos[(start + n) % len(photos)].jpeg) for n in range(len(photos))],
        "renders": max(1, renders),
        "cores": list(on),
        "masks": str(masks) if masks else None,
    }


def _together(title: str, jobs: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """Run all at the same time: a process that is warm says so, and begins when all are."""
    with _console.status(f"{title}: {sum(job['renders'] for job in jobs)} renders"):
        running = [_start(job) for job in jobs]
        for process in running:
            if _stream(process.stdout).readline() != "warm\n":
                raise SystemExit(f"{title} does not start")
        for process in running:
            _stream(process.stdin).write("go\n")
            _stream(process.stdin).flush()
        outputs = [process.communicate(timeout=_LIMIT_S)[0] for process in running]
    return [json.loads(output) for output in outputs]


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def _start(job: dict[str, Any]) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(SITE.resolve()), str(Path.cwd())])}
    environment.pop("OMP_NUM_THREADS", None)
    if len(job["cores"]) == 1:
        environment["OMP_NUM_THREADS"] = "1"  # rembg passes it on to its session
    return subprocess.Popen(
        [sys.executable, "-m", "bench.engine.rembg_app", json.dumps(job)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _install() -> None:
    """Once; by the wheel installer of this environment."""
    if not (SITE / "rembg").exists():
        uv = str(Path(sys.executable).with_name("uv"))
        command = [uv, "pip", "install", "--quiet", "--python", sys.executable, "--target", str(SITE)]
        subprocess.run([*command, "-r", str(REQUIREMENTS)], check=True)
