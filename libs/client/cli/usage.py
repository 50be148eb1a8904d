"""`mannequin usage …`"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from libs.client.cli.money import usd
from libs.client.cli.session import session, table, when

if TYPE_CHECKING:
    from decimal import Decimal

    from rich.console import RenderableType
    from rich.text import Text

    from libs.client.byok.models import Quotas, Savings, SavingsRow, Usage, UsageRow

app = typer.Typer(
    help="What was computed on whose account, and what that came to.", invoke_without_command=True
)
First = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="The first day (UTC).")]
Last = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="The last day (UTC).")]
_GROUPS = ("day", "provider", "payer")
_WIDTH = 40


@app.callback()
def usage(
    context: typer.Context,
    first: First = None,
    last: Last = None,
    by: Annotated[
        str, typer.Option(help="Sum up by any of these, with commas between.")
    ] = "day,provider,payer",
    csv: Annotated[bool, typer.Option("--csv", help="Answer in CSV.")] = False,
) -> None:
    """Show the charges of the present month, or of the days that are given."""
    if context.invoked_subcommand:
        return
    here = session(context)
    groups = [group.strip() for group in by.split(",") if group.strip()]
    start, end = _day(first), _day(last)
    with here.client() as client:
        if csv:
            typer.echo(client.usage.csv(start, end, group_by=groups), nl=False)
            return
        found = client.usage.get(start, end, group_by=groups)
    here.answer(found, _charges(found, groups))


@app.command()
def savings(context: typer.Context, first: First = None, last: Last = None) -> None:
    """Show by month what your keys moved to your own accounts; the last year if no days are given."""
    here = session(context)
    with here.client() as client:
        found = client.usage.savings(_day(first), _day(last))
    here.answer(found, _picture(found))


@app.command()
def quotas(context: typer.Context) -> None:
    """Show what your plan allows, and how much of it is taken."""
    here = session(context)
    with here.client() as client:
        found = client.usage.quotas()
    here.answer(found, _limits(found))


def _limits(found: Quotas) -> RenderableType:
    rows = [
        (
            one.name,
            "no limit" if one.limit is None else one.limit,
            one.used,
            one.reserved,
            when(one.resets_at),
        )
        for one in found.items
    ]
    return table(("limit", "at most", "used", "reserved", "begins anew"), rows, title=f"plan {found.plan}")


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _charges(found: Usage, groups: Sequence[str]) -> RenderableType:
    named = [group for group in _GROUPS if group in groups]
    lines = [_line(row, [getattr(row, name) for name in named]) for row in found.rows]
    total = _line(found.total, ["total" if not n else "" for n, _ in enumerate(named)])
    columns = (*named, "images", "seconds", f"cost {found.currency}", "on the platform it were")
    return table(columns, [*lines, total], title=f"{found.start} to {found.end}")


def _line(row: UsageRow, names: Sequence[object]) -> tuple[object, ...]:
    return (*names, row.images, f"{row.compute_seconds:f}", usd(row.cost), usd(row.platform_cost))


def _picture(found: Savings) -> RenderableType:
    """A bar for each month: as long as what it would have cost, the part that remained filled."""
    months = [row for row in found.rows if row.images]
    most = max((row.without_byok for row in months), default=0)
    rows = [_month(row, f"{row.month:%Y-%m}", most, found.currency) for row in months]
    rows.append(_month(found.total, "in all", found.total.without_byok, found.currency))
    columns = ("month", "images", "on your keys", "the platform's cost: ▒ moved █ remained", "", "moved")
    return table(columns, rows)


def _month(row: SavingsRow, name: str, most: Decimal | int, currency: str) -> tuple[object, ...]:
    costs = f"{row.without_byok:.2f} → {row.with_byok:.2f} {currency}"
    moved = f"{row.moved_share * 100:.1f} %" if row.moved_share is not None else ""
    return name, row.images, row.byok_images, _bar(row, most), costs, moved


def _bar(row: SavingsRow, most: Decimal | int) -> Text:
    from rich.text import Text

    whole = round(_WIDTH * row.without_byok / most) if most else 0
    left = min(whole, round(_WIDTH * row.with_byok / most)) if most else 0
    return Text("█" * left, style="yellow") + Text("▒" * (whole - left), style="green")
