"""The supervisor and its child processes, with one real service on real servers."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from deploy.local.errors import KeepsDying, StartFailed
from deploy.local.processes import Child, Program
from deploy.local.restarts import RestartRule
from deploy.local.service import SOURCE
from deploy.local.stale import MARK, PidFile, end_stale
from deploy.local.state import State
from deploy.local.supervisor import Supervisor
from tests.servers.having import demand, fresh_state

SLEEP = (sys.executable, "-c", "import signal; signal.pause()")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); signal.pause()",
)
# A supervisor in a process of its own, which can be killed: one service, and a line for what is ready.
ALONE = """
import sys, typer
from pathlib import Path
from deploy.local.commands import run_until_stopped
from deploy.local.state import State
from deploy.local.supervisor import Supervisor

async def run():
    async with Supervisor(State(Path(sys.argv[1])), services=["tenants"]) as system:
        print("ready", flush=True)
        await system.watch()

typer.run(lambda state: run_until_stopped(run()))
"""


@pytest.fixture(scope="module")
def state() -> Iterator[State]:
    """One state folder for all, as later starts are quicker, where its servers can be had."""
    with fresh_state("supervisor") as state:
        for server in Supervisor(state).servers.values():
            demand(server)
        yield state


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is none of ours."""
    with subprocess.Popen(SLEEP) as process:
        yield process
        process.kill()


def program(argv: tuple[str, ...], grace_s: float = 5.0) -> Program:
    return Program(argv=argv, cwd=SOURCE, env=dict(os.environ), grace_s=grace_s)


async def until(condition: Callable[[], bool], limit_s: float = 20.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.02)


def recorded(state: State) -> dict[str, psutil.Process]:
    """The running processes that the pid files of a state folder name."""
    pids = {file.stem: json.loads(file.read_text())["pid"] for file in state.run.glob("*.json")}
    return {name: psutil.Process(pid) for name, pid in pids.items() if psutil.pid_exists(pid)}


def is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_a_child_that_does_not_listen_is_killed_after_its_grace(state: State) -> None:
    """Stopping always ends."""
    child = Child(state, "stubborn")
    child.start(program(STUBBORN, grace_s=0.2))
    await until(lambda: "deaf" in child.log_tail())
    process = psutil.Process(child.pid)
    await child.stop()
    assert is_gone(process)


async def test_what_a_child_started_ends_with_it(state: State) -> None:
    """Workers of a service that is killed would go on for ever."""
    spawn = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"
    child = Child(state, "parent")
    child.start(program((sys.executable, "-c", spawn, *SLEEP)))
    parent = psutil.Process(child.pid)
    await until(lambda: bool(parent.children()))
    (worker,) = parent.children()
    await child.kill()
    assert is_gone(worker)


async def test_a_stale_child_is_ended_and_a_stranger_with_its_number_is_not(
    state: State, stranger: subprocess.Popen[bytes]
) -> None:
    """The system gives numbers of ended processes to others."""
    left, reused = state.run / "left.json", state.run / "reused.json"
    child = Child(state, "left")
    child.start(program(SLEEP))
    PidFile.write(reused, stranger.pid)
    record = json.loads(reused.read_text())
    reused.write_text(json.dumps(record | {"started": record["started"] - 3600}))
    assert await end_stale(state.run, str(state.root)) == ["left"]
    assert not child.running
    assert stranger.poll() is None
    assert not left.exists()
    assert not reused.exists()


async def test_members_of_a_group_whose_leader_is_gone_must_carry_our_mark(state: State) -> None:
    """A group's number can be another's by now, too."""
    for mark, ended in ((str(state.root), ["orphan"]), ("another folder", [])):
        orphan = _orphan(state.run / "orphan.json", mark)
        assert await end_stale(state.run, str(state.root)) == ended
        assert is_gone(orphan) == bool(ended)
        orphan.kill()


def _orphan(pid_file: Path, mark: str) -> psutil.Process:
    """A process whose parent, the recorded leader of its group, has ended."""
    leader = "import subprocess, sys; print(subprocess.Popen(sys.argv[1:]).pid, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", leader, *SLEEP],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,
        env={**os.environ, MARK: mark},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        orphan = psutil.Process(int(process.stdout.readline()))
        PidFile.write(pid_file, process.pid)
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.wait()
    return orphan


async def test_a_service_that_is_killed_is_started_again(state: State) -> None:
    """With the same address, and without anybody's help."""
    async with Supervisor(state, services=["tenants"]) as system:
        watching = asyncio.create_task(system.watch())
        tenants = system.services["tenants"]
        (first,) = tenants.pids
        os.kill(first, signal.SIGKILL)
        await until(lambda: tenants.pids not in ((), (first,)))
        async with asyncio.timeout(20):
            while not await tenants.ready():
                await asyncio.sleep(0.05)
        assert not watching.done()
        watching.cancel()


async def test_the_broker_and_the_database_are_started_again(state: State) -> None:
    """And the service that hangs on them gets ready again."""
    async with Supervisor(state, services=["tenants"]) as system:
        watching = asyncio.create_task(system.watch())
        for server in (system.broker, system.postgres):
            (first,) = server.pids
            os.kill(first, signal.SIGKILL)
            await until(lambda server=server, first=first: server.pids not in ((), (first,)))  # type: ignore[misc]
        async with asyncio.timeout(30):
            while not await system.services["tenants"].ready():
                await asyncio.sleep(0.05)
        assert not watching.done()
        watching.cancel()


async def test_the_vault_is_started_again_and_the_key_vault_outlives_it(state: State) -> None:
    """It says that it waits, and goes on by itself; the vault runs only where it is needed."""
    async with Supervisor(state, services=["keyvault"]) as system:
        assert "openbao" in system.servers
        watching = asyncio.create_task(system.watch())
        keyvault = system.services["keyvault"]
        (first,), before = system.vault.pids, keyvault.pids
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(20):
            while await keyvault.ready():
                await asyncio.sleep(0.02)
        await until(lambda: system.vault.pids not in ((), (first,)))
        async with asyncio.timeout(20):
            while not await keyvault.ready():
                await asyncio.sleep(0.05)
        assert keyvault.pids == before
        watching.cancel()
    assert "openbao" not in Supervisor(state, services=["tenants"]).servers


async def test_a_service_that_keeps_dying_stops_the_watch(state: State) -> None:
    """With its name and the end of its log."""
    async with Supervisor(state, services=["tenants"], rule=lambda: RestartRule(limit=2)) as system:
        watching = asyncio.create_task(system.watch())
        tenants = system.services["tenants"]
        (first,) = tenants.pids
        os.kill(first, signal.SIGKILL)
        await until(lambda: tenants.pids not in ((), (first,)))
        os.kill(tenants.pids[0], signal.SIGKILL)
        with pytest.raises(KeepsDying, match=r"tenants died 2 times[\s\S]*log"):
            await asyncio.wait_for(watching, 20)


async def test_a_service_that_cannot_start_takes_everything_down(state: State) -> None:
    """With the reason from its log, and no server left running."""
    system = Supervisor(state, services=["tenants"], modules={"tenants": "no.such.module"})
    with pytest.raises(StartFailed, match=r"tenants ended with status 1[\s\S]*No module named"):
        await system.__aenter__()
    assert not recorded(state)
    assert not any(server.pids for server in system.servers.values())


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
async def test_a_supervisor_that_ends_leaves_nothing_and_the_next_one_starts(
    state: State, ending: signal.Signals
) -> None:
    """`kill -9`, Ctrl-C, a polite request; each after the one before, on one folder."""
    with _alone(state) as supervisor:
        processes = recorded(state)
        family = [one for process in processes.values() for one in (process, *process.children(True))]
        assert set(processes) == {"nats", "postgres", "tenants"}
        supervisor.send_signal(ending)
        await until(lambda: supervisor.poll() is not None)
        await until(lambda: all(map(is_gone, family)))
    assert supervisor.returncode == (-ending if ending == signal.SIGKILL else 130)
    assert ending == signal.SIGKILL or not list(state.run.glob("*.json"))


def _alone(state: State) -> subprocess.Popen[bytes]:
    supervisor = subprocess.Popen(
        [sys.executable, "-c", ALONE, str(state.root)], cwd=SOURCE, stdout=subprocess.PIPE, process_group=0
    )
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == b"ready\n"
    return supervisor
