"""Erasing a tenant everywhere, and taking everything of it out (owner: the tenants service).

Every service that keeps rows does its own part: it hears `TenantErasureBegan`, erases, and says
`TenantDataErased`. What is left of the tenant afterwards is a certificate that names it by a hash alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pydantic import Field

from libs.common.contracts.ids import ErasureId
from libs.common.contracts.message import Body, Event, Query, Signal


class TenantErasureBegan(Event):
    """To every service that keeps something of the tenant in the envelope.

    The first `round` removes what is there; the second, once nothing can be under way any more, what was.
    """

    wire = "tenants.erasure_began.v1"
    erasure_id: ErasureId
    round: int = Field(1, ge=1)


class TenantDataErased(Event):
    """One service's part is done. `removed`: rows by table, and objects, keys and the like by their kind."""

    wire = "tenants.tenant_data_erased.v1"
    erasure_id: ErasureId
    round: int = Field(1, ge=1)
    service: str
    removed: dict[str, int]


class TenantForgotten(Signal):
    """Every process drops what it holds of the tenant in the envelope, in memory and on its own disk."""

    wire = "gateway.tenant_forgotten.v1"


class Erasure(Body):
    """How far an erasure is. `waiting_for`: services whose part is not done.

    `statement` (JSON), `signature` (Ed25519, base64) and `public_key` are the certificate, once all is done.
    """

    id: ErasureId
    tenant_sha256: str
    requested_at: datetime
    waiting_for: tuple[str, ...]
    completed_at: datetime | None = None
    statement: str | None = None
    signature: str | None = None
    public_key: str | None = None


class RequestErasure(Query[Erasure]):
    """Of the tenant in the envelope, by one of its owners or by the platform; the same again is fine.

    `confirm` is the tenant's name, typed by whoever wants this.
    """

    wire = "tenants.request_erasure.v1"
    reply = Erasure
    confirm: str = Field(min_length=1, max_length=200)


class GetErasure(Query[Erasure]):
    """The platform's: known by its id, as the tenant is gone."""

    wire = "tenants.get_erasure.v1"
    reply = Erasure
    erasure_id: ErasureId


class ExportedRows(Body):
    """Rows of a table as JSON objects, without secrets; `next_cursor` continues, over all tables in turn."""

    table: str
    rows: tuple[dict[str, Any], ...]
    next_cursor: str | None = None


class ExportRows(Query[ExportedRows]):
    """Rows that one service keeps of the tenant in the envelope; the subclass names the service."""

    reply = ExportedRows
    service: ClassVar[str]
    cursor: str | None = Field(None, max_length=500)


class ExportTenants(ExportRows):
    wire = "tenants.export_rows.v1"
    service = "tenants"


class ExportBatch(ExportRows):
    wire = "batch.export_rows.v1"
    service = "batch"


class ExportKeyvault(ExportRows):
    wire = "keyvault.export_rows.v1"
    service = "keyvault"


class ExportWebhooks(ExportRows):
    wire = "webhooks.export_rows.v1"
    service = "webhooks"


class ExportInference(ExportRows):
    wire = "inference.export_rows.v1"
    service = "inference"


EXPORTS: tuple[type[ExportRows], ...] = (
    ExportTenants,
    ExportBatch,
    ExportKeyvault,
    ExportWebhooks,
    ExportInference,
)


class SignStatement(Query["SignedStatement"]):
    """The platform's word for a certificate of erasure; keyvault signs nothing but JSON of its known
    kinds.
    """

    wire = "keyvault.sign_statement.v1"
    statement: str = Field(max_length=20_000)
    tenant_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class SignedStatement(Body):
    """`signature`: Ed25519 (RFC 8032) over the statement's bytes; both base64."""

    signature: str
    public_key: str


SignStatement.reply = SignedStatement
