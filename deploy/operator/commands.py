"""`mannequin tenants …` and `mannequin keys …`: over the bus, to the tenants service.

The contracts and the broker's client are imported by the commands that need them: help costs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from libs.client.cli.session import Exit, Session, session, table, when

if TYPE_CHECKING:
    from pydantic import BaseModel, SecretStr

    from libs.common.contracts.message import Query
    from libs.common.contracts.tenants import ApiKey
    from libs.common.errors import MannequinError

Answer = TypeVar("Answer", bound="BaseModel")
BUS_URL = "MANNEQUIN_BUS_URL"
STATE_FOLDER = Path(".mannequin")
tenants = typer.Typer(help="Tenants of the platform (operators).", no_args_is_help=True)
keys = typer.Typer(help="API keys of tenants (operators).", no_args_is_help=True)
Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id (ten_…).", show_default=False)]


class Mode(StrEnum):
    """What a key is for."""

    LIVE = "live"
    TEST = "test"


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.add_typer(tenants, name="tenants")
    app.add_typer(keys, name="keys")


@tenants.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The tenant's name.", show_default=False)],
    weight: Annotated[int, typer.Option(min=1, max=100, help="Its share in fair dispatch.")] = 1,
) -> None:
    """Register a tenant; prints its id."""
    here = session(context)
    with _told(here):
        from libs.common.contracts.tenants import CreateTenant

        tenant = _ask(CreateTenant(name=name, weight=weight))
    here.answer(tenant, tenant.id)


@tenants.command("list")
def list_tenants(context: typer.Context) -> None:
    """List all tenants."""
    here = session(context)
    with _told(here):
        from libs.common.contracts.tenants import ListTenants

        found = _ask(ListTenants())
    rows = ((tenant.id, tenant.name, tenant.weight, when(tenant.created_at)) for tenant in found.items)
    here.answer(found, table(("tenant", "name", "weight", "since"), rows))


@keys.command()
def issue(
    context: typer.Context,
    tenant: Tenant,
    mode: Annotated[Mode, typer.Option(help="live, or test.")] = Mode.LIVE,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Issue an API key; prints it, this once."""
    here = session(context)
    with _told(here):
        from libs.common.contracts.tenants import IssueApiKey, KeyMode

        issued = _ask(IssueApiKey(mode=KeyMode(mode.value), label=label), tenant)
    secret = issued.secret.get_secret_value()
    here.note(f"{issued.key.id}; the key is shown this once:")
    here.answer({"key": issued.key, "secret": secret}, secret)


@keys.command("list")
def list_keys(context: typer.Context, tenant: Tenant) -> None:
    """List a tenant's API keys."""
    here = session(context)
    with _told(here):
        from libs.common.contracts.tenants import ListApiKeys

        found = _ask(ListApiKeys(), tenant)
    rows = ((k.id, _shown(k), k.label, when(k.created_at), when(k.revoked_at)) for k in found.items)
    here.answer(found, table(("key", "shown as", "label", "issued", "revoked"), rows))


@keys.command()
def revoke(
    context: typer.Context,
    tenant: Tenant,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's id (key_…).", show_default=False)],
) -> None:
    """Revoke an API key; it stops working within a second."""
    here = session(context)
    with _told(here):
        from libs.common.contracts.ids import ApiKeyId
        from libs.common.contracts.tenants import RevokeApiKey

        revoked = _ask(RevokeApiKey(key_id=ApiKeyId(key)), tenant)
    here.answer(revoked, f"revoked {revoked.id}")


def _shown(key: ApiKey) -> str:
    return f"im_{key.mode.value}_{key.public_id}…"


@contextmanager
def _told(here: Session) -> Iterator[None]:
    """What goes wrong ends the program with its status and a line that says what to do."""
    from libs.common.errors import MannequinError

    try:
        yield
    except MannequinError as error:
        raise here.fail(error.detail, _status(error)) from None
    except ValueError as error:
        raise here.fail(_reason(error), Exit.USAGE) from None


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


def _ask(query: Query[Answer], tenant: str | None = None) -> Answer:
    import asyncio

    from libs.common.contracts.ids import TenantId

    return asyncio.run(_request(query, TenantId(tenant) if tenant else None))


async def _request(query: Query[Answer], tenant: str | None) -> Answer:
    from libs.common.bus.connect import connect
    from libs.common.contracts import flow
    from libs.common.contracts.ids import TenantId

    bus = connect(_bus_url(), flow.OPERATOR)
    await bus.start()
    try:
        return await bus.request(query, tenant=TenantId(tenant) if tenant else None)
    finally:
        await bus.close()


def _bus_url() -> SecretStr:
    from pydantic import SecretStr

    from deploy.local.environment import local_environment

    url = os.environ.get(BUS_URL) or local_environment(STATE_FOLDER).get(BUS_URL)
    if not url:
        raise ValueError(f"No system runs here: start one with `make run`, or set {BUS_URL}.")
    return SecretStr(url)
