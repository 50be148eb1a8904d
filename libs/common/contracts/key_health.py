"""How the keys of all tenants stand, for the platform's own people (owner: the keyvault service)."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from libs.common.contracts.credentials import HealthState
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.message import Body, Query
from libs.common.contracts.providers import FaultCode, ProviderName


class CredentialStanding(Body):
    """How one tenant's key stands, for the platform's own people: nothing that tells of the secret."""

    tenant_id: TenantId
    credential_id: CredentialId
    provider: ProviderName
    label: str
    enabled: bool
    state: HealthState
    since: datetime
    checked_at: datetime | None = None
    code: FaultCode | None = None
    expires_at: datetime | None = None


class CredentialHealthPage(Body):
    """`next_cursor` continues; None at the end."""

    items: tuple[CredentialStanding, ...]
    next_cursor: str | None = None


class ListCredentialHealth(Query[CredentialHealthPage]):
    """The platform's question, over all tenants or of one; by tenant. Deleted keys are left out."""

    wire = "keyvault.list_credential_health.v1"
    reply = CredentialHealthPage
    tenant_id: TenantId | None = None
    state: HealthState | None = None
    provider: ProviderName | None = None
    cursor: str | None = Field(None, max_length=100)
    limit: int = Field(100, ge=1, le=500)
