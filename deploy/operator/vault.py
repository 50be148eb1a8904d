"""`mannequin vault …`: over the bus, to the keyvault service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from deploy.operator.bus import Tenant, ask, told
from libs.client.cli.session import Exit, session, table

vault = typer.Typer(help="Keys and credentials of tenants (operators).", no_args_is_help=True)
_LONG_S = 120.0
"""Every ciphertext of the tenant is rewrapped before the answer comes."""


@vault.command()
def rotate(context: typer.Context, tenant: Tenant) -> None:
    """Rotate a tenant's key and rewrap its credentials; work goes on meanwhile."""
    here = session(context)
    with told(here):
        from libs.common.contracts.credentials import RotateKey

        done = ask(RotateKey(), tenant, limit_s=_LONG_S)
    rewrapped = f"{done.rewrapped} of {done.ciphertexts} ciphertexts rewrapped"
    refused = f"versions before {done.minimum_version} are refused"
    here.answer(done, f"the key is at version {done.key_version}; {rewrapped}; {refused}")


@vault.command()
def rotate_tokens(context: typer.Context) -> None:
    """Sign access tokens with a new key, once every gateway has it; those of the old one go on."""
    here = session(context)
    with told(here):
        from libs.common.contracts.tokens import RotateTokenKey

        found = ask(RotateTokenKey())
    *older, newest = [key["kid"] for key in found.keys]
    here.answer(found, f"the new key is {newest}; still good: {', '.join(older) or 'no other'}")


@vault.command()
def erase(
    context: typer.Context,
    tenant: Tenant,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete a tenant's key: its credentials can never be read again. Prints a signed certificate."""
    here = session(context)
    if not yes and not typer.confirm(f"Erase every credential of {tenant} for good?", err=True):
        raise here.fail("nothing was erased", Exit.REFUSED)
    with told(here):
        from libs.common.contracts.credentials import EraseCredentials

        certificate = ask(EraseCredentials(), tenant, limit_s=_LONG_S)
    here.note(
        f"Erased. Backups hold ciphertext without a key until {certificate.backups_expire_at:%Y-%m-%d}."
    )
    here.answer(certificate, certificate.model_dump_json(indent=1))


@vault.command()
def reconcile(
    context: typer.Context,
    tenant: Tenant,
    days: Annotated[int, typer.Option(min=1, max=366, help="How far back.")] = 30,
) -> None:
    """Compare the leases on a tenant's credentials with the images that were charged to them.

    Ends with status 1 if images were charged without a lease.
    """
    here = session(context)
    with told(here):
        from libs.common.contracts.credentials import ReconcileLeases

        found = ask(ReconcileLeases(since=datetime.now(UTC) - timedelta(days=days)), tenant, limit_s=_LONG_S)
    rows = ((d.batch_id, d.credential_id, d.leases, d.images, d.detail) for d in found.discrepancies)
    title = f"{found.leases} leases, {found.images} images, {found.batches} batches"
    here.answer(found, table(("batch", "credential", "leases", "images", "what is odd"), rows, title))
    if any(not odd.leases for odd in found.discrepancies):  # a lease that came to nothing is no fault
        raise typer.Exit(Exit.SOME_FAILED)


@vault.command()
def audit(
    context: typer.Context,
    tenant: Tenant,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many rows.")] = 100,
    cursor: Annotated[str | None, typer.Option(help="Where the last page ended.")] = None,
) -> None:
    """Show what happened to a tenant's credentials and key, newest first."""
    here = session(context)
    with told(here):
        from libs.common.contracts.credentials import ListAudit

        page = ask(ListAudit(limit=limit, cursor=cursor), tenant)
    rows = (
        (f"{r.at:%Y-%m-%d %H:%M:%S}", r.action, r.subject, r.actor, _detail(r.detail)) for r in page.items
    )
    here.answer(page, table(("when", "what", "of", "by", "detail"), rows))
    if page.next_cursor:
        here.note(f"There is more: --cursor {page.next_cursor}")


def _detail(detail: dict[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in detail.items())
