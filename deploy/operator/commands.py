"""`mannequin tenants …`, `mannequin keys …` and `mannequin vault …`: over the bus, to the services.

The contracts and the broker's client are imported by the commands that need them: help costs nothing.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.operator.bus import Tenant, ask, told
from deploy.operator.vault import vault
from libs.client.cli.money import usd
from libs.client.cli.session import Exit, session, table, when

if TYPE_CHECKING:
    from libs.common.contracts.tenants import ApiKey, Plan

tenants = typer.Typer(help="Tenants of the platform (operators).", no_args_is_help=True)
keys = typer.Typer(help="API keys of tenants (operators).", no_args_is_help=True)


class Mode(StrEnum):
    """What a key is for."""

    LIVE = "live"
    TEST = "test"


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    app.add_typer(tenants, name="tenants")
    app.add_typer(keys, name="keys")
    app.add_typer(vault, name="vault")


@tenants.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The tenant's name.", show_default=False)],
    weight: Annotated[int, typer.Option(min=1, max=100, help="Its share in fair dispatch.")] = 1,
) -> None:
    """Register a tenant; prints its id."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import CreateTenant

        tenant = ask(CreateTenant(name=name, weight=weight))
    here.answer(tenant, tenant.id)


@tenants.command("list")
def list_tenants(context: typer.Context) -> None:
    """List all tenants."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import ListTenants

        found = ask(ListTenants())
    rows = ((t.id, t.name, t.weight, _bought(t.plan), when(t.created_at)) for t in found.items)
    here.answer(found, table(("tenant", "name", "weight", "plan", "since"), rows))


@tenants.command("plan")
def set_plan(
    context: typer.Context,
    tenant: Tenant,
    byok: Annotated[bool, typer.Option("--byok/--no-byok", help="Its own keys.")] = False,
    fallback: Annotated[
        bool, typer.Option("--fallback/--no-fallback", help="The platform computes when its keys fail.")
    ] = False,
    fallback_cap: Annotated[
        float | None,
        typer.Option(min=0, help="USD a month that falling back may cost.", show_default="no cap"),
    ] = None,
    name: Annotated[str, typer.Option(help="What the plan is called.")] = "standard",
) -> None:
    """Set what a tenant bought, all of it: what is not said is not in it."""
    here = session(context)
    if fallback_cap is not None and not fallback:
        raise here.fail("--fallback-cap says nothing without --fallback.", Exit.USAGE)
    with told(here):
        from decimal import Decimal

        from libs.common.contracts.tenants import Plan, SetPlan

        cap = None if fallback_cap is None else Decimal(str(fallback_cap))
        plan = Plan(name=name, byok=byok, fallback=fallback, fallback_monthly_cap=cap)
        changed = ask(SetPlan(plan=plan), tenant)
    here.answer(changed, f"{changed.id}: {_bought(changed.plan)}")


@keys.command()
def issue(
    context: typer.Context,
    tenant: Tenant,
    mode: Annotated[Mode, typer.Option(help="live, or test.")] = Mode.LIVE,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
) -> None:
    """Issue an API key; prints it, this once."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import IssueApiKey, KeyMode

        issued = ask(IssueApiKey(mode=KeyMode(mode.value), label=label), tenant)
    secret = issued.secret.get_secret_value()
    here.note(f"{issued.key.id}; the key is shown this once:")
    here.answer({"key": issued.key, "secret": secret}, secret)


@keys.command("list")
def list_keys(context: typer.Context, tenant: Tenant) -> None:
    """List a tenant's API keys."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import ListApiKeys

        found = ask(ListApiKeys(), tenant)
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
    with told(here):
        from libs.common.contracts.ids import ApiKeyId
        from libs.common.contracts.tenants import RevokeApiKey

        revoked = ask(RevokeApiKey(key_id=ApiKeyId(key)), tenant)
    here.answer(revoked, f"revoked {revoked.id}")


def _bought(plan: Plan) -> str:
    cap = "" if plan.fallback_monthly_cap is None else f" up to {usd(plan.fallback_monthly_cap)} USD a month"
    parts = [plan.name, "own keys" if plan.byok else "", f"fallback{cap}" if plan.fallback else ""]
    return ", ".join(filter(None, parts))


def _shown(key: ApiKey) -> str:
    return f"im_{key.mode.value}_{key.public_id}…"
