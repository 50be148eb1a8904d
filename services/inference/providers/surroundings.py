"""What the operator, never a tenant, decides about calls of providers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from libs.common.contracts.providers import ProviderName
from services.inference.providers.gates import Gates


@dataclass(frozen=True, slots=True)
class Surroundings:
    """allow_private: tenants' URLs may lead to this machine and its network, and need no TLS (one machine,
    tests). endpoints: where a provider's own API is, in place of its public addresses (contract servers).
    gates: shared by all connections of the process.
    """

    allow_private: bool = False
    endpoints: Mapping[ProviderName, str] = field(default_factory=dict)
    gates: Gates = field(default_factory=Gates)
