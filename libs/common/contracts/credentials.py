"""Credentials of tenants, their health, and the leases on them (owner: the keyvault service).

No message carries a secret in the clear: towards the vault it is sealed to the vault's intake key, towards a
worker to the worker's own (see `libs/common/sealing.py`).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from libs.common.contracts.ids import BatchId, CredentialId, LeaseId, ProbeId, TenantId
from libs.common.contracts.message import Body, Command, Event, Query, Signal
from libs.common.contracts.providers import Fault, FaultCode, ProviderName

Label = Annotated[str, Field(min_length=1, max_length=100)]
Money = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=6)]
Settings = dict[str, Annotated[str, Field(max_length=2048)]]


class HealthState(StrEnum):
    """unverified → healthy ⇄ degraded → failed → recovered → healthy."""

    UNVERIFIED = "unverified"
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILED = "failed"
    RECOVERED = "recovered"

    @property
    def usable(self) -> bool:
        """Whether work may be sent on such a key."""
        return self in (HealthState.HEALTHY, HealthState.DEGRADED, HealthState.RECOVERED)


class Health(Body):
    """How a key stands since when, why, and what its owner can do about it."""

    state: HealthState = HealthState.UNVERIFIED
    since: datetime
    checked_at: datetime | None = None
    code: FaultCode | None = None
    detail: str = ""
    advice: str = ""


class Credential(Body):
    """A credential as it may be shown: never a secret. `fingerprint`, keyed by the vault, tells two apart.

    `version` counts secrets, `revision` every change. `monthly_cap` is in USD. `previous_until`: until then
    the secret before this one can be brought back. Empty `regions` and `models` allow all.
    """

    id: CredentialId
    provider: ProviderName
    label: Label
    enabled: bool = True
    deleted: bool = False
    health: Health
    version: int = 1
    revision: int = 1
    last_four: str
    fingerprint: str
    settings: Settings = Field(default_factory=dict)
    priority: int = 0
    monthly_cap: Money | None = None
    regions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    expires_at: datetime | None = None
    previous_until: datetime | None = None
    created_at: datetime
    updated_at: datetime


class CredentialList(Body):
    items: tuple[Credential, ...]


class IntakeKey(Body):
    """The RSA public key (PEM) that secrets are sealed to on their way into the vault."""

    version: int
    public_key: str


class GetIntakeKey(Query[IntakeKey]):
    wire = "keyvault.intake_key.v1"
    reply = IntakeKey


class SealedSecret(Body):
    """Secret fields as JSON, encrypted with AES-256-GCM under a key that only the vault can unwrap.

    All base64. What it is for (`binding` of `libs/common/sealing.py`) is authenticated with it.
    """

    key_version: int
    wrapped_key: str = Field(max_length=2048)
    nonce: str = Field(max_length=64)
    ciphertext: str = Field(max_length=65_536)


class CredentialTerms(Body):
    """What may be changed of a credential without its secret."""

    label: Label
    enabled: bool = True
    priority: int = Field(0, ge=-1000, le=1000)
    monthly_cap: Money | None = None
    regions: tuple[Annotated[str, Field(max_length=64)], ...] = Field((), max_length=64)
    models: tuple[Annotated[str, Field(max_length=128)], ...] = Field((), max_length=64)
    expires_at: datetime | None = None


class CreateCredential(Query[Credential]):
    """Stored and then checked; answers `unverified` with the reason where the check does not end in time."""

    wire = "keyvault.create_credential.v1"
    reply = Credential
    credential_id: CredentialId
    provider: ProviderName
    terms: CredentialTerms
    settings: Settings = Field(default_factory=dict)
    secret: SealedSecret


class ListCredentials(Query[CredentialList]):
    wire = "keyvault.list_credentials.v1"
    reply = CredentialList


class GetCredential(Query[Credential]):
    wire = "keyvault.get_credential.v1"
    reply = Credential
    credential_id: CredentialId


class UpdateCredential(Query[Credential]):
    """New terms; a disabled credential's leases end at once.

    `before`: the terms that the change was made from; if they are others by now, it is refused.
    """

    wire = "keyvault.update_credential.v1"
    reply = Credential
    credential_id: CredentialId
    terms: CredentialTerms
    before: CredentialTerms | None = None


class VerifyCredential(Query[Credential]):
    """Check it now and say how it stands."""

    wire = "keyvault.verify_credential.v1"
    reply = Credential
    credential_id: CredentialId


class ReplaceCredential(Query[Credential]):
    """A new secret. The old one goes only once the new one was checked; `grace_s` keeps it to roll back."""

    wire = "keyvault.replace_credential.v1"
    reply = Credential
    credential_id: CredentialId
    settings: Settings | None = None
    secret: SealedSecret
    grace_s: int = Field(86_400, ge=0, le=7 * 86_400)


class RollBackCredential(Query[Credential]):
    """Bring the secret before this one back, within its grace time."""

    wire = "keyvault.roll_back_credential.v1"
    reply = Credential
    credential_id: CredentialId


class DeleteCredential(Query[Credential]):
    """Forget the ciphertexts and end all leases; answers with the credential as it was."""

    wire = "keyvault.delete_credential.v1"
    reply = Credential
    credential_id: CredentialId


class LeasePurpose(StrEnum):
    RENDER = "render"
    PROBE = "probe"


class Lease(Body):
    """A credential for one worker and batch, for minutes. `sealed` (base64) opens with the worker's key."""

    id: LeaseId
    credential_id: CredentialId
    version: int
    provider: ProviderName
    worker: str
    purpose: LeasePurpose
    batch_id: BatchId | None = None
    probe_id: ProbeId | None = None
    expires_at: datetime
    sealed: str


class LeaseCredential(Query[Lease]):
    """Refused unless the batch is in flight on that credential, or the probe was asked for.

    `public_key` is a fresh X25519 key's 32 bytes, base64. `renews` is the lease that this one goes on from.
    """

    wire = "keyvault.lease.v1"
    reply = Lease
    credential_id: CredentialId
    version: int
    purpose: LeasePurpose
    batch_id: BatchId | None = None
    probe_id: ProbeId | None = None
    worker: str = Field(max_length=200)
    public_key: str = Field(max_length=64)
    renews: LeaseId | None = None


class LeasesRevoked(Signal):
    """Drop every lease of this credential now. `version` None: of every version."""

    wire = "keyvault.leases_revoked.v1"
    credential_id: CredentialId
    version: int | None = None


class ProbeCredential(Command):
    """See whether a credential works, at no cost for its owner, and say so by `CredentialObserved`."""

    wire = "inference.probe_credential.v1"
    probe_id: ProbeId
    credential_id: CredentialId
    version: int
    provider: ProviderName
    settings: Settings
    expires_at: datetime


class ObservedBy(StrEnum):
    PROBE = "probe"
    CALL = "call"


class CredentialObserved(Event):
    """What a probe or a real call said of a credential; `fault` None: it worked. `count` calls alike."""

    wire = "inference.credential_observed.v1"
    credential_id: CredentialId
    version: int
    by: ObservedBy
    probe_id: ProbeId | None = None
    fault: Fault | None = None
    count: int = 1
    observed_at: datetime


class CredentialChanged(Event):
    """The credential as it is now; a higher `revision` replaces a lower one."""

    wire = "keyvault.credential_changed.v1"
    credential: Credential


class CredentialFailed(Event):
    """The key is at fault and no longer used. `first_fault_at`: when that was first seen."""

    wire = "keyvault.credential_failed.v1"
    credential: Credential
    first_fault_at: datetime


class CredentialDegraded(Event):
    wire = "keyvault.credential_degraded.v1"
    credential: Credential


class CredentialRecovered(Event):
    wire = "keyvault.credential_recovered.v1"
    credential: Credential


class CredentialExpiring(Event):
    """The credential, or the model that it is for, ends on that day. `subject`: `credential` or the model."""

    wire = "keyvault.credential_expiring.v1"
    credential: Credential
    subject: str
    ends_at: datetime
    successor: str | None = None


class AuditRow(Body):
    """One thing that happened to a credential or a key: who did it to what. Never a secret."""

    at: datetime
    action: str
    subject: str
    actor: str = ""
    detail: dict[str, str] = Field(default_factory=dict)


class AuditPage(Body):
    items: tuple[AuditRow, ...]
    next_cursor: str | None = None


class ListAudit(Query[AuditPage]):
    """Newest first."""

    wire = "keyvault.list_audit.v1"
    reply = AuditPage
    cursor: str | None = None
    limit: int = Field(100, ge=1, le=500)


class Rotation(Body):
    """How far a key's rotation is: all `ciphertexts` are rewrapped before the old version is refused."""

    tenant_id: TenantId
    key_version: int
    ciphertexts: int
    rewrapped: int
    minimum_version: int


class RotateKey(Query[Rotation]):
    """Rotate the tenant's key, rewrap all its ciphertexts, then refuse the old version."""

    wire = "keyvault.rotate_key.v1"
    reply = Rotation


class ErasureCertificate(Body):
    """What became unreadable and when. `signature` is the vault's ed25519 one over `statement` (JSON).

    `public_key` is base64. Backups of the database hold ciphertext until `backups_expire_at`.
    """

    statement: str
    signature: str
    public_key: str
    backups_expire_at: datetime


class EraseCredentials(Query[ErasureCertificate]):
    """Delete the tenant's key: every credential it ever stored becomes unreadable, in backups too."""

    wire = "keyvault.erase_credentials.v1"
    reply = ErasureCertificate


class Discrepancy(Body):
    """A batch whose leases and rendered images do not fit together."""

    batch_id: BatchId
    credential_id: CredentialId
    leases: int
    images: int
    detail: str


class Reconciliation(Body):
    """Leases against what was rendered on them."""

    leases: int
    images: int
    batches: int
    discrepancies: tuple[Discrepancy, ...]


class ReconcileLeases(Query[Reconciliation]):
    """Of the envelope's tenant, since a moment."""

    wire = "keyvault.reconcile_leases.v1"
    reply = Reconciliation
    since: datetime
