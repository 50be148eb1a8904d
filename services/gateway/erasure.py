"""What this service itself holds of a tenant, in memory as well, goes when the tenant does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from libs.common.bus.bus import Bus
from libs.common.contracts import erasure as contract
from libs.common.contracts.erasure import TenantForgotten
from libs.common.contracts.ids import ErasureId, TenantId
from libs.common.db import Database
from libs.common.erasure import Beyond
from services.gateway.credential_bodies import TEXT
from services.gateway.store import sql

EXAMPLE_ID = "ers_01hzy3k5v7m9q2w4x6z8b0c1d9"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_UNDER_WAY: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "tenant_sha256": _SHA256,
    "requested_at": "2026-03-02T10:15:00Z",
    "completed_at": None,
    "waiting_for": ["batch", "tenants"],
    "certificate": None,
}


class Confirmation(BaseModel):
    """That it is meant."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"confirm": "Maison Lumière"}]})

    confirm: str = Field(
        min_length=1, max_length=200, pattern=TEXT, description="The tenant's name, as it stands there."
    )


class Certificate(BaseModel):
    """Ed25519 (RFC 8032) over the bytes of `statement`; the key and the signature in base64."""

    model_config = ConfigDict(frozen=True)

    statement: str = Field(description="JSON: what was removed, of which tenant (by a hash), and when.")
    signature: str
    public_key: str


class Erasure(BaseModel):
    """How far an erasure is. `waiting_for`: parts of the system that are not through with it."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [_UNDER_WAY]})

    id: ErasureId
    tenant_sha256: str = Field(description="SHA-256 (hex) of the tenant's id, which is kept nowhere.")
    requested_at: datetime
    completed_at: datetime | None
    waiting_for: tuple[str, ...]
    certificate: Certificate | None = Field(description="Once all is done.")

    @classmethod
    def of(cls, erasure: contract.Erasure) -> Self:
        certificate = None
        if erasure.statement and erasure.signature and erasure.public_key:
            certificate = Certificate(
                statement=erasure.statement, signature=erasure.signature, public_key=erasure.public_key
            )
        return cls(
            id=erasure.id,
            tenant_sha256=erasure.tenant_sha256,
            requested_at=erasure.requested_at,
            completed_at=erasure.completed_at,
            waiting_for=erasure.waiting_for,
            certificate=certificate,
        )


def answers_about(database: Database) -> Beyond:
    """What the platform's people were answered about a tenant is kept for a day, in rows that are not its."""

    async def forget(tenant: TenantId) -> Mapping[str, int]:
        async with database.platform("forget answers about a tenant") as tx:
            return {"platform_answers": await tx.execute(sql.forget_answers_about, tenant)}

    return forget


def telling_replicas(bus: Bus) -> Beyond:
    """Makes every replica and every worker forget the tenant. A replica that does not hear it knows that it
    is being erased, and lets nobody in; what it holds goes with the process.
    """

    async def tell(tenant: TenantId) -> Mapping[str, int]:
        await bus.signal(TenantForgotten(), tenant=tenant)
        return {}

    return tell
