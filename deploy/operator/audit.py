"""`mannequin audit …`: looking into audit logs, and showing that nobody tampered with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.operator.bus import ask, told
from libs.client.cli.session import Exit, Session, session, table, when

if TYPE_CHECKING:
    from collections.abc import Iterator

    from libs.common.contracts.audit import ChainState

audit = typer.Typer(help="Audit logs of tenants and of the platform (operators).", no_args_is_help=True)
Whose = Annotated[
    str | None,
    typer.Argument(
        metavar="[TENANT]", help="The tenant's id (ten_…).", show_default="the platform's own log"
    ),
]
VERIFY_S = 300.0


@audit.command("list")
def list_entries(
    context: typer.Context,
    tenant: Whose = None,
    action: Annotated[str | None, typer.Option(help="Only this action, or those that begin so.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, the newest first.")] = 30,
) -> None:
    """What was done, by whom and from where."""
    here = session(context)
    with told(here):
        from libs.common.contracts.audit import ListAuditLog

        page = ask(ListAuditLog(action=action, limit=limit), tenant)
    rows = (
        (
            str(e.sequence),
            when(e.at),
            e.action,
            f"{e.actor.kind} {e.actor.id}",
            str(e.actor.ip or ""),
            e.target,
        )
        for e in page.items
    )
    here.answer(page, table(("#", "when", "what", "who", "from", "of"), rows))


@audit.command()
def verify(context: typer.Context, tenant: Whose = None) -> None:
    """Follow a log's chain of hashes in the database; exits with 1 where it breaks."""
    here = session(context)
    with told(here):
        from libs.common.contracts.audit import VerifyAuditLog

        state = ask(VerifyAuditLog(), tenant, limit_s=VERIFY_S)
    _judge(here, state)


@audit.command("verify-export")
def verify_export(
    context: typer.Context,
    export: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines, as they were exported.")
    ],
) -> None:
    """The same for an exported log, with nothing but the file."""
    here = session(context)
    from libs.common.audit.chain import ChainCheck

    check = ChainCheck()
    try:
        check.follow(_entries(export))
    except ValueError as error:
        raise here.fail(f"{export} is not an exported audit log: {error}", Exit.USAGE) from None
    _judge(here, check.state())


def _entries(export: Path) -> Iterator[dict[str, object]]:
    import json

    with export.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _judge(here: Session, state: ChainState) -> None:
    here.answer(state, f"{state.entries} entries fit, the last one has the hash {state.head}")
    if state.broken_at is not None:
        raise here.fail(f"The chain breaks at entry {state.broken_at}: {state.reason}.", Exit.SOME_FAILED)
