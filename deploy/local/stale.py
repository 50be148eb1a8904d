"""Knowing a process again by pid and start time, and ending whole families of them.

A pid alone is not enough: the system gives numbers of ended processes to others. So a pid file keeps the
start time too, and members of a group whose leader is gone must carry our mark in their environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from deploy.local.errors import StaleProcess

MARK = "MANNEQUIN_STATE"
# psutil derives start times from the boot time, which the kernel rounds to seconds.
START_TOLERANCE_S = 2.0
POLL_S = 0.02


@dataclass(frozen=True)
class PidFile:
    """What one pid file says: the leader of a process group and when it started (Unix time, s)."""

    pid: int
    started: float

    @classmethod
    def read(cls, file: Path) -> PidFile | None:
        """The record, or None where the file was cut short by a crash."""
        try:
            return cls(**json.loads(file.read_text()))
        except (ValueError, TypeError):
            return None

    @classmethod
    def write(cls, file: Path, pid: int) -> None:
        """Records a running process; one that has ended already leaves no record."""
        with contextlib.suppress(psutil.NoSuchProcess):
            file.write_text(json.dumps(asdict(cls(pid, psutil.Process(pid).create_time()))))

    def survivors(self, mark: str) -> list[psutil.Process]:
        """The recorded process with all that it started, or what is left of its group; never a stranger."""
        try:
            started = psutil.Process(self.pid).create_time()
        except psutil.NoSuchProcess:
            return [member for member in _group(self.pid) if _has_mark(member, mark)]
        return family(self.pid) if abs(started - self.started) <= START_TOLERANCE_S else []


def family(pid: int) -> list[psutil.Process]:
    """A process, its descendants, and the members of the group that it leads."""
    found = set(_group(pid))
    with contextlib.suppress(psutil.NoSuchProcess):
        leader = psutil.Process(pid)
        found |= {leader, *leader.children(recursive=True)}
    return list(found)


async def kill_all(processes: list[psutil.Process]) -> None:
    """Kills them and waits until they are gone. psutil compares start times, so a reused pid is safe."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    while any(_is_there(process) for process in processes):
        await asyncio.sleep(POLL_S)


async def end_stale(run: Path, mark: str) -> list[str]:
    """Ends what an earlier supervisor left behind; the names of what was still there.

    Raises StaleProcess where a process belongs to another user.
    """
    found = []
    for file in _pid_files(run):
        record = PidFile.read(file)
        processes = [one for one in record.survivors(mark) if _is_there(one)] if record else []
        try:
            await kill_all(processes)
        except psutil.AccessDenied as exc:
            raise StaleProcess(file.stem, exc.pid or 0) from exc
        if processes:
            found.append(file.stem)
        file.unlink()
    return found


def _pid_files(run: Path) -> list[Path]:
    return sorted(run.glob("*.json"))


def _group(pgid: int) -> list[psutil.Process]:
    members = []
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            if os.getpgid(pid) == pgid:
                members.append(psutil.Process(pid))
    return members


def _has_mark(process: psutil.Process, mark: str) -> bool:
    try:
        return process.environ().get(MARK) == mark
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False


def _is_there(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
