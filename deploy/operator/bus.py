"""Asking the platform's services from a command line, over the bus, as its operator.

The contracts and the broker's client are imported when they are needed: help costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from libs.client.cli.session import Exit, Session

if TYPE_CHECKING:
    from pydantic import BaseModel, SecretStr

    from libs.common.contracts.message import Query
    from libs.common.errors import MannequinError

Answer = TypeVar("Answer", bound="BaseModel")
BUS_URL = "MANNEQUIN_BUS_URL"
STATE_FOLDER = Path(".mannequin")
QUICK_S = 5.0
Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id (ten_…).", show_default=False)]


@contextmanager
def told(here: Session) -> Iterator[None]:
    """What goes wrong ends the program with its status and a line that says what to do."""
    from libs.common.errors import MannequinError

    try:
        yield
    except MannequinError as error:
        raise here.fail(error.detail, _status(error)) from None
    except ValueError as error:
        raise here.fail(_reason(error), Exit.USAGE) from None


def ask(query: Query[Answer], tenant: str | None = None, *, limit_s: float = QUICK_S) -> Answer:
    """The answer of the service that responds; to be called within `told`."""
    import asyncio

    return asyncio.run(_request(query, tenant, limit_s))


def _reason(error: ValueError) -> str:
    """Of pydantic's errors only what is wrong, not what was given."""
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}" for wrong in error.errors())
    return str(error)


def _status(error: MannequinError) -> Exit:
    from libs.common.errors import NotFound, Refusal

    if isinstance(error, NotFound):
        return Exit.NOT_FOUND
    return Exit.REFUSED if isinstance(error, Refusal) else Exit.UNREACHABLE


async def _request(query: Query[Answer], tenant: str | None, limit_s: float) -> Answer:
    """As the system's user who typed the command: the audit log names that one."""
    from getpass import getuser

    from libs.common.audit import acting
    from libs.common.bus.connect import connect
    from libs.common.contracts import flow
    from libs.common.contracts.access import Actor, ActorKind
    from libs.common.contracts.ids import TenantId

    whose = TenantId(tenant) if tenant else None
    bus = connect(_bus_url(), flow.OPERATOR)
    await bus.start()
    try:
        with acting(Actor(kind=ActorKind.OPERATOR, id=getuser())):
            return await bus.request(query, tenant=whose, timeout=limit_s)
    finally:
        await bus.close()


def _bus_url() -> SecretStr:
    from pydantic import SecretStr

    from deploy.local.environment import local_environment

    url = os.environ.get(BUS_URL) or local_environment(STATE_FOLDER).get(BUS_URL)
    if not url:
        raise ValueError(f"No system runs here: start one with `make run`, or set {BUS_URL}.")
    return SecretStr(url)
