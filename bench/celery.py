"""Our line on RabbitMQ beside a Celery group and chord on RabbitMQ with Redis for its results.

Celery comes from PyPI into a folder of its own; `redis-server` must be installed (Debian: apt-get install
redis-server).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from bench import photos, pure, system
from deploy.local.ports import HOST, Ports
from deploy.local.servers.rabbitmq import RabbitMq
from deploy.local.state import State
from deploy.local.supervisor import Bus

SITE = photos.FOLDER / "celery-site"
REQUIREMENTS = Path(__file__).parent / "celery_requirements.txt"


async def run() -> dict[str, float]:
    archive = photos.archive(pure.PHOTOS)
    ours, our_workers, our_whole = await system.images_per_s(Bus.RABBITMQ)
    async with celery() as bench:
        theirs = await bench.items_per_s("render", str(archive.resolve()))
        memory = bench.peak_mib
    return {
        "speedup": ours / theirs,
        "images_per_s": ours,
        "celery_images_per_s": theirs,
        "worker_memory_mib": our_workers,
        "celery_worker_memory_mib": memory,
        "whole_memory_mib": our_whole,
    }


async def noop_items_per_s(items: int) -> float:
    """Tasks that do nothing, per second from sending to the callback's result."""
    async with celery() as bench:
        return await bench.items_per_s("noop", str(items))


class CeleryBench:
    """A running worker with as many processes as there are cores."""

    def __init__(self, environment: dict[str, str], worker: subprocess.Popen[bytes], folder: Path) -> None:
        self._environment = environment
        self._worker = worker
        self._folder = folder
        self.peak_mib = 0.0

    async def items_per_s(self, kind: str, argument: str) -> float:
        """Run `bench/celery_app.py`; its figure."""
        driver = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bench.celery_app",
            kind,
            argument,
            str(self._folder),
            env=self._environment,
            stdout=subprocess.PIPE,
        )
        watch = asyncio.create_task(self._watch_memory())
        out, _ = await driver.communicate()
        watch.cancel()
        return float(json.loads(out)["items_per_s"])

    async def _watch_memory(self) -> None:
        worker = psutil.Process(self._worker.pid)
        while True:
            family = [worker, *worker.children(recursive=True)]
            self.peak_mib = max(self.peak_mib, sum(p.memory_full_info().pss for p in family) / 2**20)
            await asyncio.sleep(0.5)


@asynccontextmanager
async def celery() -> AsyncIterator[CeleryBench]:
    """RabbitMQ, Redis and a Celery worker of their own."""
    _install()
    root = photos.FOLDER / "celery"
    shutil.rmtree(root, ignore_errors=True)
    state, ports = State(root), Ports()
    broker = RabbitMq(state, ports, state.secrets.password("rabbitmq"))
    redis_port = str(ports.get("redis"))
    redis = subprocess.Popen(  # noqa: ASYNC220
        [_redis(), "--port", redis_port, "--bind", HOST, "--save", "", "--dir", str(root)],
        stdout=subprocess.DEVNULL,
    )
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(SITE.resolve()), str(Path.cwd())]),
        "BENCH_BROKER": broker.url,
        "BENCH_BACKEND": f"redis://{HOST}:{redis_port}/0",
    }
    try:
        await broker.start()
        results = root / "results"
        results.mkdir()
        worker = _worker(environment)
        try:
            yield CeleryBench(environment, worker, results)
        finally:
            worker.terminate()
            await asyncio.to_thread(worker.wait)
    finally:
        await broker.stop()
        redis.terminate()
        redis.wait()


def _worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "bench.celery_app",
            "worker",
            "--concurrency",
            str(os.cpu_count() or 1),
            "--loglevel",
            "warning",
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _install() -> None:
    """Once; by the wheel installer of this environment."""
    if not (SITE / "celery").exists():
        command = ["uv", "pip", "install", "--quiet", "--target", str(SITE), "-r", str(REQUIREMENTS)]
        subprocess.run([str(Path(sys.executable).with_name("uv")), *command[1:]], check=True)


def _redis() -> str:
    found = shutil.which("redis-server")
    if found is None:
        raise SystemExit("this benchmark needs redis-server (Debian: apt-get install redis-server)")
    return found
