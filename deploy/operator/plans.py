"""`mannequin plans …`: what the platform sells, over the bus."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from deploy.operator.bus import ask, told
from deploy.operator.tenants import Own
from deploy.operator.terms import bought, prices, quotas, typed
from libs.client.cli.session import session, table, when

if TYPE_CHECKING:
    from libs.common.contracts.plans import PlanDefinition
    from libs.common.contracts.tenants import Plan

plans = typer.Typer(help="Plans that tenants can be put on (operators).", no_args_is_help=True)
Code = Annotated[str, typer.Argument(metavar="CODE", help="The plan's code.", show_default=False)]


@plans.command("list")
def list_plans(context: typer.Context) -> None:
    """List plans, and how many tenants are on each."""
    here = session(context)
    with told(here):
        from libs.common.contracts.plans import ListPlans

        found = ask(ListPlans())
    columns = ("code", "holds", "limits", "prices", "tenants", "pending", "retired")
    rows = (
        (
            *(p.code, bought(p.plan), quotas(p.plan), prices(p.plan)),
            *(p.tenants, p.pending, when(p.retired_at)),
        )
        for p in found.items
    )
    here.answer(found, table(columns, rows))


@plans.command()
def define(
    context: typer.Context,
    code: Code,
    terms: Own = None,
    base: Annotated[
        str | None,
        typer.Option(help="Plan to start from; the one of this code if there is one.", show_default=False),
    ] = None,
    description: Annotated[
        str | None, typer.Option(help="For whoever chooses.", show_default="as it is")
    ] = None,
) -> None:
    """Make a plan, or change one: what is not said stays as it is. Its tenants get it within seconds."""
    here = session(context)
    with told(here):
        from libs.common.contracts.plans import DefinePlan, overridden

        before, start = _start(code, base)
        words = before.description if before and description is None else description or ""
        plan = overridden(start, typed(terms or ()))
        defined = ask(DefinePlan(code=code, description=words, plan=plan))
    shown = f"{defined.code}, revision {defined.revision}: {bought(defined.plan)}"
    here.answer(defined, f"{shown}; {defined.pending} tenants to be told")


@plans.command()
def retire(context: typer.Context, code: Code) -> None:
    """Put nobody new on a plan; who is on it stays."""
    here = session(context)
    with told(here):
        from libs.common.contracts.plans import RetirePlan

        retired = ask(RetirePlan(code=code))
    here.answer(retired, f"{retired.code} is retired; {retired.tenants} tenants stay on it")


def _start(code: str, base: str | None) -> tuple[PlanDefinition | None, Plan]:
    """The plan that there is, and the terms to start from. ValueError if there is no `base`."""
    from libs.common.contracts.plans import ListPlans
    from libs.common.contracts.tenants import Plan

    known = {plan.code: plan for plan in ask(ListPlans()).items}
    if base and base not in known:
        raise ValueError(f"There is no plan {base}.")
    before = known.get(code)
    if base:
        return before, known[base].plan.model_copy(update={"name": code})
    return before, before.plan if before else Plan(name=code)
