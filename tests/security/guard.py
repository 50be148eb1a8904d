"""A child process that works on hostile bytes under limits: a crash, a hang or a bomb becomes a finding."""

from __future__ import annotations

import multiprocessing
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from types import TracebackType

Work = Callable[[bytes], str]
"""Names what came of the bytes. Picklable."""
_MEBIBYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Report:
    """`outcome` is what the work said, or `crash …`, `hang` or `exception …`; `growth` is bytes of memory."""

    outcome: str
    seconds: float = 0.0
    growth: int = 0


class Guard:
    """Runs `work` in one child after another. `memory`: bytes by which it may grow; `seconds`: for one run.

    The child dies of an allocation far over its memory; what it really used is in each report.
    """

    def __init__(self, work: Work, *, memory: int, seconds: float) -> None:
        self._work = work
        self._memory = memory
        self._seconds = seconds
        self._child: multiprocessing.process.BaseProcess | None = None
        self._pipe: Connection | None = None

    def __enter__(self) -> Guard:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def run(self, data: bytes) -> Report:
        """What came of it; also where the child did not live through it."""
        pipe = self._pipe or self._start()
        pipe.send_bytes(data)
        if not pipe.poll(self._seconds):
            self._stop()
            return Report("hang", self._seconds)
        try:
            report: Report = pipe.recv()
        except EOFError:
            return Report(f"crash with status {self._stop()}")
        return report

    def _start(self) -> Connection:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._child = context.Process(target=_serve, args=(theirs, self._work, self._memory), daemon=True)
        self._child.start()
        theirs.close()
        self._pipe.recv()  # until it is ready: importing is not the picture's time
        return self._pipe

    def _stop(self) -> int | None:
        child, pipe, self._child, self._pipe = self._child, self._pipe, None, None
        if child is None or pipe is None:
            return None
        child.join(0.2)
        child.kill()
        child.join()
        pipe.close()
        return child.exitcode


def _serve(pipe: Connection, work: Work, memory: int) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # C libraries write there about every broken file
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pipe.send(_run(work, b""))
    limit = _status("VmSize") + 2 * memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    while True:
        try:
            data = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send(_run(work, data))


def _run(work: Work, data: bytes) -> Report:
    _forget_peak()
    before, start = _status("VmRSS"), perf_counter()
    try:
        outcome = work(data)
    except Exception as exc:  # noqa: BLE001 - it is what is looked for
        outcome = f"exception {exc!r}"
    return Report(outcome, perf_counter() - start, _status("VmHWM") - before)


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets VmHWM


def _status(name: str) -> int:
    """A line of /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
