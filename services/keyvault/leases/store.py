"""Leases in the database, a round at a time and of all tenants in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from libs.common.audit.record import record
from libs.common.contracts.access import Actor, ActorKind
from libs.common.contracts.credentials import HealthState, Lease, LeaseCredential
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.db import Queries, Row, Transaction
from services.keyvault.leases.rules import OpenProbe, Secret
from services.keyvault.versions import Status

sql = Queries(__package__)


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """One request for a lease, of the envelope's tenant."""

    tenant: TenantId
    query: LeaseCredential


@dataclass(frozen=True, slots=True)
class Known:
    """What the tables say of all that was asked for."""

    secrets: dict[tuple[str, str, int], Secret]
    probes: dict[tuple[str, str], OpenProbe]

    def secret(self, ask: Ask) -> Secret | None:
        return self.secrets.get((ask.tenant, ask.query.credential_id, ask.query.version))

    def probe(self, ask: Ask) -> OpenProbe | None:
        return self.probes.get((ask.tenant, ask.query.probe_id)) if ask.query.probe_id else None


async def read(tx: Transaction, asks: Iterable[Ask]) -> Known:
    """What there is to say of these requests."""
    asks = list(asks)
    versions = {(ask.tenant, ask.query.credential_id, ask.query.version) for ask in asks}
    probes = {(ask.tenant, ask.query.probe_id) for ask in asks if ask.query.probe_id}
    rows = await tx.fetch(sql.read_secrets, *_columns(versions, 3))
    asked_for = await tx.fetch(sql.read_probes, *_columns(probes, 2)) if probes else []
    return Known(
        {(row["tenant_id"], row["id"], row["version"]): _secret(row) for row in rows},
        {(row["tenant_id"], row["id"]): _probe(row) for row in asked_for},
    )


async def hold(tx: Transaction, asks: Iterable[Ask]) -> None:
    """Let what ends leases wait for this transaction, or this transaction for it."""
    credentials = {(ask.tenant, ask.query.credential_id) for ask in asks}
    await tx.fetch(sql.hold_credentials, *_columns(credentials, 2))


async def insert(tx: Transaction, leases: Sequence[tuple[Ask, Lease]], issued_at: datetime) -> None:
    """Write the leases, and an audit row for each."""
    rows = [
        (
            ask.tenant,
            lease.id,
            lease.credential_id,
            lease.version,
            lease.purpose.value,
            lease.batch_id,
            lease.probe_id,
            lease.worker,
            ask.query.renews,
            issued_at,
            lease.expires_at,
        )
        for ask, lease in leases
    ]
    await tx.execute(sql.insert_leases, *_columns(rows, 11))
    for ask, lease in leases:
        _tell(tx, ask, lease)


def _tell(tx: Transaction, ask: Ask, lease: Lease) -> None:
    """The tenant's own audit log: which worker had the secret, for what."""
    worker = Actor(kind=ActorKind.SERVICE, id=lease.worker[:100])
    what = "renewed" if ask.query.renews else "granted"
    purpose, batch = lease.purpose.value, lease.batch_id or lease.probe_id
    record(
        tx,
        f"lease.{what}",
        lease.credential_id,
        actor=worker,
        tenant=ask.tenant,
        lease=lease.id,
        purpose=purpose,
        of=batch,
    )


def _columns(rows: Iterable[tuple[object, ...]], width: int) -> list[list[object]]:
    """As `unnest` takes them: one list a column."""
    rows = list(rows)
    return [[row[column] for row in rows] for column in range(width)]


def _secret(row: Row) -> Secret:
    return Secret(
        provider=ProviderName(row["provider"]),
        enabled=row["enabled"],
        deleted=row["deleted"],
        health=HealthState(row["health"]),
        status=Status(row["status"]),
        until=row["until"],
        ciphertext=row["ciphertext"],
    )


def _probe(row: Row) -> OpenProbe:
    return OpenProbe(CredentialId(row["credential_id"]), row["version"], row["expires_at"])
