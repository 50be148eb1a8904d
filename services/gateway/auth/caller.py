"""Who makes a request."""

from __future__ import annotations

from dataclasses import dataclass

from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import KeyMode


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant, by one of its API keys."""

    tenant: TenantId
    key_id: ApiKeyId
    mode: KeyMode
