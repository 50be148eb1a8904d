"""`mannequin tenants …`: tenants of the platform, over the bus."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.operator.bus import Tenant, ask, told
from deploy.operator.terms import bought, prices, quotas, typed
from libs.client.cli.session import Exit, session, table, when

if TYPE_CHECKING:
    from pydantic import JsonValue

    from libs.common.contracts import tenants as contract

tenants = typer.Typer(help="Tenants of the platform (operators).", no_args_is_help=True)
Code = Annotated[str | None, typer.Option("--plan", help="Code of a plan; see `mannequin plans list`.")]
Own = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="A term of its own, such as quotas.images_month=5000; none is no limit. May come often.",
        show_default=False,
    ),
]


class Status(StrEnum):
    """How a tenant stands."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    ERASING = "erasing"


@tenants.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="The tenant's name.", show_default=False)],
    weight: Annotated[
        int, typer.Option(min=1, max=100, help="Its share in fair dispatch, where its plan names none.")
    ] = 1,
    plan: Code = None,
    slug: Annotated[str | None, typer.Option(help="Its host below the platform's domain.")] = None,
    contact: Annotated[str | None, typer.Option(help="E-mail address to write to.")] = None,
) -> None:
    """Register a tenant; prints its id."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import CreateTenant

        query = CreateTenant(name=name, weight=weight, plan_code=plan, slug=slug, contact_email=contact)
        tenant = ask(query)
    here.answer(tenant, tenant.id)


@tenants.command("list")
def list_tenants(
    context: typer.Context,
    status: Annotated[Status | None, typer.Option(help="Only those that stand so.")] = None,
    plan: Code = None,
    name: Annotated[str | None, typer.Option(help="Only those whose name or slug begins so.")] = None,
) -> None:
    """List tenants, the oldest first."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import ListTenants, TenantList, TenantStatus

        wanted = TenantStatus(status.value) if status else None
        query = ListTenants(status=wanted, plan_code=plan, name_prefix=name, limit=500)
        found = TenantList(items=tuple(_all(query)))
    columns = ("tenant", "name", "slug", "status", "weight", "plan", "since")
    rows = (
        (t.id, t.name, t.slug, t.status.value, t.weight, bought(t.plan), when(t.created_at))
        for t in found.items
    )
    here.answer(found, table(columns, rows))


@tenants.command()
def show(context: typer.Context, tenant: Tenant) -> None:
    """Show a tenant: how it stands, what it bought, what it pays."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import GetTenant

        found = ask(GetTenant(), tenant)
    here.answer(found, table(("", ""), _shown(found)))


@tenants.command()
def change(
    context: typer.Context,
    tenant: Tenant,
    name: Annotated[str | None, typer.Option(help="A new name.")] = None,
    slug: Annotated[str | None, typer.Option(help="Another host below the platform's domain.")] = None,
    contact: Annotated[str | None, typer.Option(help="E-mail address to write to; '' for none.")] = None,
) -> None:
    """Change what a tenant is called, where it is and who is written to."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import UpdateTenant

        changed = ask(UpdateTenant(name=name, slug=slug, contact_email=contact), tenant)
    here.answer(changed, table(("", ""), _shown(changed)))


@tenants.command()
def suspend(
    context: typer.Context,
    tenant: Tenant,
    reason: Annotated[str, typer.Option(help="Shown to the tenant.", show_default=False)],
) -> None:
    """Let a tenant look but change nothing; its images wait."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import SuspendTenant

        changed = ask(SuspendTenant(reason=reason), tenant)
    here.answer(changed, f"{changed.id} is {changed.status.value}: {changed.status_reason}")


@tenants.command()
def resume(context: typer.Context, tenant: Tenant) -> None:
    """Let a suspended tenant go on."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import ResumeTenant

        changed = ask(ResumeTenant(), tenant)
    here.answer(changed, f"{changed.id} is {changed.status.value}")


@tenants.command("plan")
def set_plan(
    context: typer.Context,
    tenant: Tenant,
    code: Annotated[
        str | None, typer.Option(help="Code of a plan that is sold; without it, one for this tenant alone.")
    ] = None,
    own: Own = None,
    byok: Annotated[bool, typer.Option("--byok/--no-byok", help="Its own keys.")] = False,
    fallback: Annotated[
        bool, typer.Option("--fallback/--no-fallback", help="The platform computes when its keys fail.")
    ] = False,
    fallback_cap: Annotated[
        float | None,
        typer.Option(min=0, help="USD a month that falling back may cost.", show_default="no cap"),
    ] = None,
    name: Annotated[str, typer.Option(help="What a plan of its own is called.")] = "standard",
) -> None:
    """Set what a tenant bought, all of it: what is not said is not in it, or is as the plan has it."""
    here = session(context)
    if fallback_cap is not None and not fallback:
        raise here.fail("--fallback-cap says nothing without --fallback.", Exit.USAGE)
    if code and (byok or fallback):
        raise here.fail(f"The plan {code} says what is in it; --set byok=true differs.", Exit.USAGE)
    with told(here):
        terms = typed(own or ())
        changed = (
            _on_sale(tenant, code, terms)
            if code
            else _own(
                tenant,
                {"name": name, "byok": byok, "fallback": fallback, "fallback_monthly_cap": fallback_cap},
                terms,
            )
        )
    here.answer(changed, f"{changed.id}: {bought(changed.plan)}")


def _on_sale(tenant: str, code: str, terms: dict[str, JsonValue]) -> contract.Tenant:
    from libs.common.contracts.plans import ChangePlan

    return ask(ChangePlan(code=code, overrides=terms), tenant)


def _own(tenant: str, plan: dict[str, object], terms: dict[str, JsonValue]) -> contract.Tenant:
    from libs.common.contracts.plans import overridden
    from libs.common.contracts.tenants import Plan, SetPlan

    return ask(SetPlan(plan=overridden(Plan.model_validate(plan), terms)), tenant)


def _all(query: contract.ListTenants) -> Iterator[contract.Tenant]:
    """Page by page."""
    while True:
        page = ask(query)
        yield from page.items
        if page.next_cursor is None:
            return
        query = query.model_copy(update={"cursor": page.next_cursor})


def _shown(tenant: contract.Tenant) -> Iterator[tuple[str, object]]:
    yield "tenant", tenant.id
    yield "name", tenant.name
    yield "slug", tenant.slug
    yield "status", " - ".join(filter(None, (tenant.status.value, tenant.status_reason)))
    yield "plan", f"{tenant.plan_code or 'of its own'} ({bought(tenant.plan)})"
    yield "own terms", ", ".join(tenant.overrides)
    yield "limits", quotas(tenant.plan)
    yield "prices", prices(tenant.plan)
    yield "weight", tenant.plan.weight or tenant.weight
    yield "contact", tenant.contact_email
    yield "made", f"{when(tenant.created_at)} by {tenant.created_by or 'the platform'}"
