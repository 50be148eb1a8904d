"""The other side of the comparison: the same render function as a Celery group with a chord callback.

Runs in processes of its own, with Celery on its path (see `bench/celery.py`). Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
import time
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from celery import Celery, chord, group

from libs.common.contracts.options import RenderOptions
from services.inference.renderer import OnnxRendererFactory, Renderer

app = Celery("bench", broker=os.environ["BENCH_BROKER"], backend=os.environ["BENCH_BACKEND"])
app.conf.update(task_serializer="json", result_serializer="json", worker_hijack_root_logger=False)


@cache
def renderer() -> Renderer:
    return OnnxRendererFactory(provider="cpu", model="mannequin")()


@cache
def opened(archive: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(archive)


@app.task(name="render")  # type: ignore[untyped-decorator]
def render(archive: str, name: str, folder: str) -> str:
    result = renderer()(opened(archive).read(name), RenderOptions())
    path = Path(folder) / f"{name}.png"
    path.write_bytes(result.result.data)
    return str(path)


@app.task(name="noop")  # type: ignore[untyped-decorator]
def noop(number: int) -> int:
    return number


@app.task(name="finish")  # type: ignore[untyped-decorator]
def finish(results: list[Any]) -> int:
    return len(results)


def seconds(tasks: list[Any]) -> float:
    """From sending the group to the chord callback's result."""
    began = time.perf_counter()
    count = chord(group(tasks))(finish.s()).get(timeout=1800)
    assert count == len(tasks)
    return time.perf_counter() - began


def main(kind: str, argument: str, folder: str) -> None:
    if kind == "noop":
        tasks = [noop.s(number) for number in range(int(argument))]
    else:
        names = zipfile.ZipFile(argument).namelist()
        tasks = [render.s(argument, name, folder) for name in names]
    seconds(tasks[:8])
    sys.stdout.write(json.dumps({"items_per_s": len(tasks) / seconds(tasks)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
