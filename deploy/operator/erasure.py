"""`mannequin tenants erase|certificate|scan`: ending a tenant, and proving it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.operator.bus import STATE_FOLDER, Tenant, ask, told
from libs.client.cli.session import Exit, session, table, when

if TYPE_CHECKING:
    from deploy.operator.scan import Places
    from libs.common.contracts.erasure import Erasure

ErasureArgument = Annotated[
    str, typer.Argument(metavar="ERASURE", help="The erasure's id (ers_…).", show_default=False)
]
VAULT_CA, APPROLES = "VAULT_CACERT", "KEYVAULT_APPROLE_FOLDER"
ADMIN_URL, VAULT_TOKEN = "MANNEQUIN_ADMIN_URL", "VAULT_TOKEN"  # names of variables


def add_to(tenants: typer.Typer) -> None:
    """Adds the commands to the group."""
    tenants.command()(erase)
    tenants.command()(certificate)
    tenants.command("scan")(scan_for)


def erase(
    context: typer.Context,
    tenant: Tenant,
    confirm: Annotated[str, typer.Option(help="The tenant's name.", prompt="The tenant's name")],
) -> None:
    """Erase a tenant everywhere, for good; prints the id under which the certificate will be."""
    here = session(context)
    with told(here):
        from libs.common.contracts.erasure import RequestErasure

        asked = ask(RequestErasure(confirm=confirm), tenant)
    here.note(f"`mannequin tenants certificate {asked.id}` tells how far it is.")
    here.answer(asked, asked.id)


def certificate(
    context: typer.Context,
    erasure: ErasureArgument,
    verify: Annotated[bool, typer.Option("--verify", help="Check the signature.")] = False,
) -> None:
    """Show how far an erasure is, or its certificate. Ends with status 1 if it is not done or not genuine."""
    here = session(context)
    with told(here):
        from libs.common.contracts.erasure import GetErasure
        from libs.common.contracts.ids import ErasureId

        found = ask(GetErasure(erasure_id=ErasureId(erasure)))
    here.answer(found, found.statement or f"waiting for {', '.join(found.waiting_for)}")
    if found.completed_at is None:
        raise typer.Exit(Exit.SOME_FAILED)
    if verify:
        if not genuine(found):
            raise here.fail("the signature does not fit the statement", Exit.SOME_FAILED)
        here.note(f"Genuine; complete since {when(found.completed_at)}.")


def scan_for(
    context: typer.Context,
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="Its id.", show_default=False)],
    also: Annotated[list[str] | None, typer.Option(help="Another text to look for; may be repeated.")] = None,
) -> None:
    """Look for a tenant in the database, the object storage, the broker and the vault.

    Ends with status 1 if anything is found. For a system elsewhere set MANNEQUIN_ADMIN_URL,
    MANNEQUIN_OBJECTS_URL, MANNEQUIN_BUS_URL, VAULT_ADDR, VAULT_CACERT and VAULT_TOKEN (or the keyvault's
    KEYVAULT_APPROLE_FOLDER).
    """
    import asyncio

    from deploy.operator.scan import hits, scan

    here = session(context)
    with told(here):
        findings = asyncio.run(scan(places(), [tenant, *(also or ())]))
    rows = [
        (place, where, str(count))
        for place, found in findings.items()
        for where, count in (found or {"nothing": 0}).items()
    ]
    here.answer(findings, table(("place", "where", "hits"), rows))
    if hits(findings):
        raise typer.Exit(Exit.SOME_FAILED)


def genuine(erasure: Erasure) -> bool:
    """Whether the platform's key signed the statement (Ed25519, RFC 8032)."""
    from base64 import b64decode

    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if not (erasure.statement and erasure.signature and erasure.public_key):
        return False
    key = Ed25519PublicKey.from_public_bytes(b64decode(erasure.public_key))
    try:
        key.verify(b64decode(erasure.signature), erasure.statement.encode())
    except InvalidSignature:
        return False
    return True


def places() -> Places:
    """Those that the environment names, or else of the system on this machine's state folder."""
    from pydantic import SecretStr

    from deploy.local.environment import local_environment
    from deploy.local.state import State
    from deploy.local.supervisor import Supervisor
    from deploy.operator.scan import Places
    from deploy.vault.keys import VaultAccess

    given = os.environ
    if ADMIN_URL in given:
        token = SecretStr(given[VAULT_TOKEN]) if VAULT_TOKEN in given else None
        ca, approles = (Path(given[name]) if name in given else None for name in (VAULT_CA, APPROLES))
        return Places(
            admin_url=SecretStr(given[ADMIN_URL]),
            objects_url=SecretStr(given["MANNEQUIN_OBJECTS_URL"]),
            bus_url=SecretStr(given["MANNEQUIN_BUS_URL"]),
            vault=VaultAccess(given["VAULT_ADDR"], ca, approles, token),
        )
    here = local_environment(STATE_FOLDER)
    if not here:
        raise ValueError(f"No system runs here: start one with `make run`, or set {ADMIN_URL}.")
    local = Supervisor(State(STATE_FOLDER))
    return Places(
        admin_url=SecretStr(local.postgres.url),
        objects_url=SecretStr(here["MANNEQUIN_OBJECTS_URL"]),
        bus_url=SecretStr(here["MANNEQUIN_BUS_URL"]),
        vault=VaultAccess(local.vault.url, local.vault.ca, local.vault.approles),
    )
