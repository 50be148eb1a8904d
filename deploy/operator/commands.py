"""`mannequin tenants …` and `mannequin keys …`: over the bus, to the tenants service."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from pydantic import BaseModel, SecretStr
from rich.console import Console
from rich.table import Table

from deploy.local.environment import local_environment
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.message import Query
from libs.common.contracts.tenants import (
    CreateTenant,
    IssueApiKey,
    KeyMode,
    ListApiKeys,
    ListTenants,
    RevokeApiKey,
)
from libs.common.errors import MannequinError

Answer = TypeVar("Answer", bound=BaseModel)
tenants = typer.Typer(help="Tenants of the platform (operators).", no_args_is_help=True)
keys = typer.Typer(help="API keys of tenants (operators).", no_args_is_help=True)
Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id (ten_…).", show_default=False)]
console = Console()


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.add_typer(tenants, name="tenants")
    app.add_typer(keys, name="keys")


@tenants.command()
def create(
    name: Annotated[str, typer.Argument(help="The tenant's name.")],
    weight: Annotated[int, typer.Option(min=1, max=100, help="Its share in fair dispatch.")] = 1,
) -> None:
    """Register a tenant; prints its id."""
    typer.echo(_ask(CreateTenant(name=name, weight=weight)).id)


@tenants.command("list")
def list_tenants() -> None:
    """List all tenants."""
    table = Table("tenant", "name", "weight", "since")
    for tenant in _ask(ListTenants()).items:
        table.add_row(tenant.id, tenant.name, str(tenant.weight), f"{tenant.created_at:%Y-%m-%d %H:%M}")
    console.print(table)


@keys.command()
def issue(
    tenant: Tenant,
    mode: Annotated[KeyMode, typer.Option(help="live, or test.")] = KeyMode.LIVE,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Issue an API key; prints it, this once."""
    typer.echo(_ask(IssueApiKey(mode=mode, label=label), tenant).secret.get_secret_value())


@keys.command("list")
def list_keys(tenant: Tenant) -> None:
    """List a tenant's API keys."""
    table = Table("key", "shown as", "label", "issued", "revoked")
    for key in _ask(ListApiKeys(), tenant).items:
        shown = f"im_{key.mode.value}_{key.public_id}…"
        table.add_row(key.id, shown, key.label, f"{key.created_at:%Y-%m-%d %H:%M}", str(key.revoked_at or ""))
    console.print(table)


@keys.command()
def revoke(
    tenant: Tenant,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's id (key_…).", show_default=False)],
) -> None:
    """Revoke an API key; it stops working within a second."""
    try:
        key_id = ApiKeyId(key)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(f"revoked {_ask(RevokeApiKey(key_id=key_id), tenant).id}")


def _ask(query: Query[Answer], tenant: str | None = None) -> Answer:
    """The reply; an error ends the program with a line that says what to do."""
    try:
        return asyncio.run(_request(query, TenantId(tenant) if tenant else None))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except MannequinError as error:
        typer.secho(error.detail, fg="red", err=True)
        raise typer.Exit(1) from None


async def _request(query: Query[Answer], tenant: TenantId | None) -> Answer:
    bus = connect(_bus_url(), flow.OPERATOR)
    await bus.start()
    try:
        return await bus.request(query, tenant=tenant)
    finally:
        await bus.close()


def _bus_url() -> SecretStr:
    name = "MANNEQUIN_BUS_URL"
    url = os.environ.get(name) or local_environment(Path(".mannequin")).get(name)
    if not url:
        raise typer.BadParameter(f"no system runs here; start one with `make run`, or set {name}")
    return SecretStr(url)
