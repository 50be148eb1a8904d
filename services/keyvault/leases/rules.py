"""Who may have a lease, and for how long: pure rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from libs.common.contracts.credentials import HealthState, LeaseCredential, LeasePurpose
from libs.common.contracts.ids import CredentialId
from libs.common.contracts.providers import ProviderName
from libs.common.errors import Refusal
from services.keyvault.leases.errors import CredentialNotUsable, ProbeNotOpen
from services.keyvault.versions import Status


@dataclass(frozen=True, slots=True)
class Secret:
    """A version of a credential's secret, and how the credential stands. `until`: when a version goes."""

    provider: ProviderName
    enabled: bool
    deleted: bool
    health: HealthState
    status: Status
    until: datetime | None
    ciphertext: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class OpenProbe:
    """A probe that was asked for and not answered."""

    credential_id: CredentialId
    version: int
    expires_at: datetime


def refusal(
    query: LeaseCredential, secret: Secret | None, probe: OpenProbe | None, now: datetime
) -> Refusal | None:
    """Why this may not be leased; None if it may, as far as the vault's own tables say.

    For a batch: the current secret, or the one before it within its grace, for what is under way.
    For a probe: also one that is yet to be verified, and that of a failed key, which is how it recovers.
    """
    if secret is None or secret.deleted or not secret.enabled or secret.ciphertext is None:
        return CredentialNotUsable()
    if secret.until is not None and secret.until <= now:
        return CredentialNotUsable("the time of this version of the secret is over")
    if query.purpose is LeasePurpose.PROBE:
        return None if _is_for(probe, query, now) else ProbeNotOpen()
    if secret.status is Status.PENDING:
        return CredentialNotUsable("this version of the secret is not verified yet")
    if not secret.health.usable:
        return CredentialNotUsable(f"the credential is {secret.health.value}")
    return None


def expiry(secret: Secret, probe: OpenProbe | None, now: datetime, lease_s: float) -> datetime:
    """When the lease ends: after `lease_s` seconds, and with the version or the probe that it is for."""
    ends = [now + timedelta(seconds=lease_s), secret.until, probe.expires_at if probe else None]
    return min(end for end in ends if end is not None)


def _is_for(probe: OpenProbe | None, query: LeaseCredential, now: datetime) -> bool:
    return (
        probe is not None
        and (probe.credential_id, probe.version) == (query.credential_id, query.version)
        and probe.expires_at > now
    )
