"""Child processes that end with their supervisor.

Every child leads a process group of its own, so Ctrl-C reaches the supervisor alone, which then stops the
children in order. A supervisor that is killed takes its children along (`launch.py`); `stale.py` mops up what
that misses.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from deploy.local.errors import StartFailed
from deploy.local.stale import MARK, PidFile, family, kill_all
from deploy.local.state import State

LAUNCHER = Path(__file__).with_name("launch.py")
POLL_S = 0.02
LOG_LIMIT_BYTES = 20 * 1024 * 1024


@dataclass(frozen=True)
class Account:
    """An unprivileged system user that a program runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Program:
    """What to run. `death_signal` is what the kernel sends it when the supervisor is killed.

    `grace_s` is how long it may take to stop (seconds) before it is killed.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    grace_s: float = 10.0

    def command(self) -> list[str]:
        """The command line, behind the launcher."""
        account = self.account or Account(-1, -1)
        ids = (os.getpid(), self.death_signal.value, account.uid, account.gid)
        return [sys.executable, "-I", "-S", str(LAUNCHER), *map(str, ids), *self.argv]


class Child:
    """One process of one program. Start from the main thread: the kernel ties the death signal to it.

    Stop without start is fine and so is stop twice. Not tied to an event loop: a session's test servers
    outlive the loops of single tests.
    """

    def __init__(self, state: State, name: str) -> None:
        self.name = name
        self._state = state
        self._pid_file = state.run / f"{name}.json"
        self._process: subprocess.Popen[bytes] | None = None
        self._program: Program | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self.running else None

    @property
    def running(self) -> bool:
        """Whether the process is there and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self, program: Program) -> None:
        """Starts the program unless it runs already; its output goes to the log of its name."""
        if self.running:
            return
        with _open_log(self._state.log(self.name)) as log:
            self._process = subprocess.Popen(
                program.command(),
                cwd=program.cwd,
                env={**program.env, MARK: str(self._state.root)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._program = program
        PidFile.write(self._pid_file, self._process.pid)

    async def ended(self) -> int:
        """Waits until the process is no longer there; its exit status, negative for a signal."""
        while self._process is not None and self._process.poll() is None:
            await asyncio.sleep(POLL_S)
        return self._process.returncode if self._process is not None else 0

    async def stop(self) -> None:
        """Asks it to stop, waits for as long as its grace, then kills it and what it started."""
        if self._process is None or self._program is None:
            return
        if self.running:
            self._process.send_signal(self._program.stop_signal)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended(), self._program.grace_s)
        await self.kill()

    async def kill(self) -> None:
        """Kills it at once with all that it started, as a power cut would."""
        if self._process is None:
            return
        relatives = [process for process in family(self._process.pid) if process.pid != self._process.pid]
        self._process.kill()
        await self.ended()
        await kill_all(relatives)
        self._pid_file.unlink(missing_ok=True)
        self._process = None

    def failure(self, what: str) -> StartFailed:
        """The error of a process that did not get ready, with the end of its log."""
        return StartFailed(self.name, what, self.log_tail())

    def log_tail(self) -> str:
        """The last lines of its log."""
        return log_tail(self._state.log(self.name))


def log_tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log file; says so where there is none."""
    if not path.exists():
        return f"(no log at {path})"
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64 * 1024))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_name(path.name + ".1"))
    return path.open("ab")
