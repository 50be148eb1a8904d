"""`mannequin keys …`: API keys of tenants, over the bus."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.operator.bus import Tenant, ask, told
from libs.client.cli.session import Session, session, table, when

if TYPE_CHECKING:
    from libs.common.contracts import tenants as contract

keys = typer.Typer(help="API keys of tenants (operators).", no_args_is_help=True)
Key = Annotated[str, typer.Argument(metavar="KEY", help="The key's id (key_…).", show_default=False)]
Expires = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"], help="When it ends (UTC).", show_default="never"),
]


class Mode(StrEnum):
    """What a key is for."""

    LIVE = "live"
    TEST = "test"


@keys.command()
def issue(
    context: typer.Context,
    tenant: Tenant,
    mode: Annotated[Mode, typer.Option(help="live, or test.")] = Mode.LIVE,
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="A permission such as images:read; may come often.", show_default="the usual"),
    ] = None,
    expires: Expires = None,
    ip: Annotated[
        list[str] | None,
        typer.Option(help="Address or network that it may be used from; may come often.", show_default="any"),
    ] = None,
) -> None:
    """Issue an API key; prints it, this once."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import IssueApiKey

        given = {"mode": mode.value, "label": label, "expires_at": _utc(expires), "allowed_ips": ip or ()}
        query = IssueApiKey.model_validate(given | ({"scopes": scope} if scope else {}))
        issued = ask(query, tenant)
    _show(here, issued)


@keys.command()
def rotate(
    context: typer.Context,
    tenant: Tenant,
    key: Key,
    overlap: Annotated[
        float, typer.Option(min=0, max=720, help="Hours for which the old key still works.")
    ] = 24,
    expires: Expires = None,
) -> None:
    """Issue a key in another one's place; prints it, this once."""
    here = session(context)
    with told(here):
        from libs.common.contracts.ids import ApiKeyId
        from libs.common.contracts.tenants import RotateApiKey

        query = RotateApiKey(key_id=ApiKeyId(key), overlap_s=round(overlap * 3600), expires_at=_utc(expires))
        issued = ask(query, tenant)
    _show(here, issued)


@keys.command("list")
def list_keys(context: typer.Context, tenant: Tenant) -> None:
    """List a tenant's API keys."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tenants import ApiKeyList, ListApiKeys

        found = ApiKeyList(items=tuple(_all(ListApiKeys(limit=500), tenant)))
    columns = ("key", "shown as", "label", "scopes", "from", "issued", "last used", "ends", "revoked")
    rows = (
        (
            *(k.id, _shown(k), k.label, " ".join(k.scopes), " ".join(k.allowed_ips)),
            *(when(k.created_at), when(k.last_used_at), when(k.expires_at), when(k.revoked_at)),
        )
        for k in found.items
    )
    here.answer(found, table(columns, rows))


@keys.command()
def revoke(context: typer.Context, tenant: Tenant, key: Key) -> None:
    """Revoke an API key; it stops working within a second."""
    here = session(context)
    with told(here):
        from libs.common.contracts.ids import ApiKeyId
        from libs.common.contracts.tenants import RevokeApiKey

        revoked = ask(RevokeApiKey(key_id=ApiKeyId(key)), tenant)
    here.answer(revoked, f"revoked {revoked.id}")


def _show(here: Session, issued: contract.IssuedApiKey) -> None:
    secret = issued.secret.get_secret_value()
    here.note(f"{issued.key.id}; the key is shown this once:")
    here.answer({"key": issued.key, "secret": secret}, secret)


def _all(query: contract.ListApiKeys, tenant: str) -> Iterator[contract.ApiKey]:
    """Page by page."""
    while True:
        page = ask(query, tenant)
        yield from page.items
        if page.next_cursor is None:
            return
        query = query.model_copy(update={"cursor": page.next_cursor})


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(tzinfo=UTC)


def _shown(key: contract.ApiKey) -> str:
    return f"im_{key.mode.value}_{key.public_id}…"
