"""The rules of leasing, and what reconciling finds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.common.contracts.credentials import HealthState, LeaseCredential, LeasePurpose
from libs.common.contracts.ids import BatchId, CredentialId, ProbeId
from libs.common.contracts.providers import ProviderName
from services.keyvault.leases.reconcile import compare
from services.keyvault.leases.rules import OpenProbe, Secret, expiry, refusal
from services.keyvault.versions import Status

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CREDENTIAL, BATCH, PROBE = CredentialId.new(), BatchId.new(), ProbeId.new()
GOOD = Secret(
    ProviderName.PHOTOROOM,
    enabled=True,
    deleted=False,
    health=HealthState.HEALTHY,
    status=Status.CURRENT,
    until=None,
    ciphertext="vault:v1:…",
)
OPEN = OpenProbe(CREDENTIAL, 1, NOW + timedelta(seconds=20))
SOON, PAST = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)


def code(secret: Secret | None, purpose: LeasePurpose, probe: OpenProbe | None = OPEN) -> str | None:
    """With what a lease on version 1 is refused."""
    query = LeaseCredential(
        credential_id=CREDENTIAL,
        version=1,
        purpose=purpose,
        batch_id=BATCH,
        probe_id=PROBE,
        worker="w",
        public_key="",
    )
    refused = refusal(query, secret, probe, NOW)
    return refused.code if refused else None


@pytest.mark.parametrize("purpose", LeasePurpose)
@pytest.mark.parametrize(
    "secret",
    [
        None,
        replace(GOOD, enabled=False),
        replace(GOOD, deleted=True),
        replace(GOOD, status=Status.GONE, ciphertext=None),
        replace(GOOD, status=Status.PREVIOUS, until=PAST),
        replace(GOOD, status=Status.PENDING, until=PAST),
    ],
)
def test_nothing_is_leased_of_what_is_gone_or_switched_off(
    secret: Secret | None, purpose: LeasePurpose
) -> None:
    """For neither purpose."""
    assert code(secret, purpose) == "credential_not_usable"


def test_the_secret_before_this_one_is_leased_within_its_grace() -> None:
    """Batches that are under way go on with the version that they began with."""
    assert code(replace(GOOD, status=Status.PREVIOUS, until=SOON), LeasePurpose.RENDER) is None


def test_a_secret_that_is_not_verified_is_leased_to_its_probe_alone() -> None:
    """No picture is computed on it."""
    pending = replace(GOOD, status=Status.PENDING, until=SOON)
    assert code(pending, LeasePurpose.RENDER) == "credential_not_usable"
    assert code(pending, LeasePurpose.PROBE) is None


@pytest.mark.parametrize("health", HealthState)
def test_a_failed_key_is_leased_to_probes_alone(health: HealthState) -> None:
    """That is how it recovers."""
    secret = replace(GOOD, health=health)
    assert (code(secret, LeasePurpose.RENDER) is None) is health.usable
    assert code(secret, LeasePurpose.PROBE) is None


@pytest.mark.parametrize(
    "probe",
    [
        None,
        replace(OPEN, version=2),
        replace(OPEN, credential_id=CredentialId.new()),
        replace(OPEN, expires_at=NOW),
    ],
)
def test_a_probe_that_nobody_waits_for_gets_nothing(probe: OpenProbe | None) -> None:
    """Answered, too old, or of another secret."""
    assert code(GOOD, LeasePurpose.PROBE, probe) == "probe_not_open"


def test_a_lease_ends_with_what_it_is_for() -> None:
    """After its time, or with the version's or the probe's if that comes first."""
    assert expiry(GOOD, None, NOW, 300) == NOW + timedelta(seconds=300)
    assert expiry(replace(GOOD, until=SOON), None, NOW, 300) == SOON
    assert expiry(GOOD, OPEN, NOW, 300) == OPEN.expires_at


def test_images_without_a_lease_are_found() -> None:
    """A lease without images is told after them; what fits is only counted."""
    other, unused = BatchId.new(), BatchId.new()
    found = compare(
        {(BATCH, CREDENTIAL): 3, (unused, CREDENTIAL): 2}, {(BATCH, CREDENTIAL): 400, (other, CREDENTIAL): 5}
    )
    assert (found.leases, found.images, found.batches) == (5, 405, 3)
    wrong, told = found.discrepancies
    assert (wrong.batch_id, wrong.leases, wrong.images) == (other, 0, 5)
    assert (told.batch_id, told.leases, told.images) == (unused, 2, 0)
