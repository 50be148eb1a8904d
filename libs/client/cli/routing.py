"""`mannequin routing …`"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from libs.client.cli.money import usd
from libs.client.cli.session import Session, session, when

if TYPE_CHECKING:
    from libs.client.byok.models import RoutingPolicy

app = typer.Typer(help="Whose account computes your images.", no_args_is_help=True)


class Policy(StrEnum):
    """As the API calls them."""

    PLATFORM = "platform"
    BYOK_ONLY = "byok_only"
    BYOK_THEN_PLATFORM = "byok_then_platform"


class Unavailable(StrEnum):
    """What becomes of an image that no route may take now."""

    WAIT = "wait"
    FAIL = "fail"


@app.command()
def show(context: typer.Context) -> None:
    """Show the policy."""
    here = session(context)
    with here.client() as client:
        _tell(here, client.routing_policy.get())


@app.command("set")
def set_(
    context: typer.Context,
    policy: Annotated[Policy, typer.Argument(help="Falling back must be in your plan.")],
    when_unavailable: Annotated[
        Unavailable, typer.Option(help="What becomes of an image that no route may take now.")
    ] = Unavailable.WAIT,
    fallback_cap: Annotated[
        str | None, typer.Option(metavar="USD", help="What falling back may cost a month.")
    ] = None,
) -> None:
    """Set the policy. Images that wait for a route are looked at again at once."""
    here = session(context)
    with here.client() as client:
        made = client.routing_policy.set(
            policy, when_unavailable=when_unavailable, fallback_monthly_cap=fallback_cap
        )
    _tell(here, made)


_WORDS = {
    Policy.PLATFORM: "The platform computes everything.",
    Policy.BYOK_ONLY: "Only keys of yours are used; without one that works, images {unavailable}.",
    Policy.BYOK_THEN_PLATFORM: "Keys of yours are used first; without one that works the platform computes "
    "{cap}, and beyond that images {unavailable}.",
}


def _tell(here: Session, policy: RoutingPolicy) -> None:
    cap = policy.fallback_monthly_cap
    words = _WORDS.get(Policy(policy.policy), "") if policy.policy in set(Policy) else ""
    told = words.format(
        unavailable=policy.when_unavailable,
        cap=f"for up to {usd(cap)} USD a month" if cap is not None else "instead",
    )
    since = f" (since {when(policy.updated_at)})" if policy.updated_at else ""
    here.answer(policy, f"{policy.policy}{since}: {told}")
