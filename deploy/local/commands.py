"""The commands that run the system: `mannequin up`, `serve SERVICE`, `migrate`, `demo`, `vault bootstrap`."""

from __future__ import annotations

import asyncio
import os
import runpy
import signal
import sys
import time
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer
from rich.console import Console

from deploy.local.environment import SERVICES, login_roles
from deploy.local.errors import LocalError
from deploy.local.state import State
from deploy.local.supervisor import Bus, Supervisor, migrate_database
from deploy.operator.vault import vault
from deploy.vault.commands import bootstrap

STATE_FOLDER = Path(".mannequin")
Service = StrEnum("Service", {name: name for name in SERVICES})  # type: ignore[misc]  # the list is the source
BusOption = Annotated[Bus, typer.Option("--bus", help="The broker between the services.")]
StateOption = Annotated[Path, typer.Option("--state", help="The folder that keeps data, secrets and logs.")]
console = Console(stderr=True)


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.command()(up)
    app.command()(serve)
    app.command()(migrate)
    app.command()(demo)
    vault.command()(bootstrap)


def up(bus: BusOption = Bus.NATS, state: StateOption = STATE_FOLDER) -> None:
    """Start everything on this machine and keep it running until Ctrl-C."""
    run_until_stopped(_up(State(state), bus))


def demo(
    bus: BusOption = Bus.NATS,
    state: StateOption = STATE_FOLDER,
    photos: Annotated[
        Path | None, typer.Option(exists=True, help="Your own photos: a folder or a ZIP.")
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End afterwards, with status 0 if all went well.")
    ] = False,
) -> None:
    """Start everything and show a batch of photos going through it."""
    from deploy.local.demo.run import demonstrate  # it draws pictures, which no other command needs

    run_until_stopped(demonstrate(State(state), bus, photos, once=once, console=Console()))


async def _up(state: State, bus: Bus) -> None:
    began = time.monotonic()
    async with Supervisor(state, bus, report=lambda line: console.print(line, style="dim")) as system:
        console.print(f"[bold green]ready[/] in {time.monotonic() - began:.1f} s: {system.addresses.api_url}")
        console.print(f"logs: {state.logs}   stop: Ctrl-C")
        await system.watch()


def run_until_stopped(work: Coroutine[None, None, None]) -> None:
    """Runs `work` until it ends, or until Ctrl-C, SIGTERM or a closed terminal cancels it.

    Exits 1 with the message of a LocalError, 130 after Ctrl-C.
    """
    try:
        asyncio.run(_cancelled_by_signals(work))
    except LocalError as exc:
        console.print(str(exc), style="red", markup=False, highlight=False)
        raise typer.Exit(1) from exc
    except (KeyboardInterrupt, asyncio.CancelledError):
        console.print("stopped")
        raise typer.Exit(130) from None


async def _cancelled_by_signals(work: Coroutine[None, None, None]) -> None:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("needs a running task")
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await work


def serve(service: Annotated[Service, typer.Argument(help="Which service.")]) -> None:
    """Run one service in the foreground, with the settings of the environment."""
    sys.argv = [service]
    runpy.run_module(f"services.{service}.main", run_name="__main__", alter_sys=True)


def migrate(
    admin_url: Annotated[
        str, typer.Option(envvar="MANNEQUIN_ADMIN_DATABASE_URL", help="postgresql:// of an owner.")
    ],
) -> None:
    """Bring the database's schema up to date and give each service its login role.

    The roles' passwords are read from `<SERVICE>_DATABASE_URL` and `<SERVICE>_PLATFORM_DATABASE_URL`.
    """
    asyncio.run(migrate_database(admin_url, _role_passwords()))


def _role_passwords() -> dict[str, str]:
    names = {role: f"{role.upper()}_DATABASE_URL" for role in login_roles()}
    missing = [name for name in names.values() if name not in os.environ]
    if missing:
        raise typer.BadParameter(f"set {', '.join(missing)}: they hold the passwords of the login roles")
    return {role: _password(os.environ[name], name) for role, name in names.items()}


def _password(url: str, name: str) -> str:
    password = urlsplit(url).password
    if password is None:
        raise typer.BadParameter(f"{name} has no password in it")
    return unquote(password)
