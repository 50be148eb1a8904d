"""Secrets on their way open for whom and for what they were sealed, and for nobody and nothing else."""

from __future__ import annotations

from base64 import b64decode, b64encode
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.credentials import IntakeKey, Lease, LeasePurpose, SealedSecret
from libs.common.contracts.ids import BatchId, CredentialId, LeaseId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.sealing import (
    NotSealedForThis,
    new_lease_key,
    open_in_vault,
    open_lease,
    seal_for_vault,
    seal_for_worker,
)

TENANT, CREDENTIAL = TenantId.new(), CredentialId.new()
SECRETS = st.dictionaries(st.text(max_size=40), st.text(max_size=3000), max_size=5)
OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


@cache
def vault_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def sealed(secrets: dict[str, str]) -> SealedSecret:
    pem = (
        vault_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return seal_for_vault(secrets, IntakeKey(version=1, public_key=pem.decode()), TENANT, CREDENTIAL)


def unwrapped(secret: SealedSecret) -> bytes:
    return vault_key().decrypt(b64decode(secret.wrapped_key), OAEP)


def lease(**changes: Any) -> Lease:
    made = Lease(
        id=LeaseId.new(),
        credential_id=CREDENTIAL,
        version=1,
        provider=ProviderName.PHOTOROOM,
        worker="worker-1",
        purpose=LeasePurpose.RENDER,
        batch_id=BatchId.new(),
        expires_at=datetime.now(UTC),
        sealed="",
    )
    return made.model_copy(update=changes)


@given(SECRETS)
def test_the_vault_opens_what_was_sealed_for_it(secrets: dict[str, str]) -> None:
    """All fields come back, and the sealed form shows none of them."""
    secret = sealed(secrets)
    assert open_in_vault(secret, unwrapped(secret), TENANT, CREDENTIAL) == secrets
    shown = secret.model_dump_json()
    assert not [value for value in secrets.values() if len(value) > 8 and value in shown]


def test_a_sealed_secret_is_of_one_credential_of_one_tenant() -> None:
    """Sent again for another tenant or credential, it does not open."""
    secret = sealed({"api_key": "k"})
    for tenant, credential in ((TenantId.new(), CREDENTIAL), (TENANT, CredentialId.new())):
        with pytest.raises(NotSealedForThis):
            open_in_vault(secret, unwrapped(secret), tenant, credential)


@given(st.binary(max_size=64), st.text(max_size=40))
def test_damage_is_refused_without_a_word_of_what_was_inside(noise: bytes, text: str) -> None:
    """Whatever the bytes are, the error is ours and the same."""
    secret = sealed({"api_key": "planted-secret"})
    for damaged in (
        secret.model_copy(update={"ciphertext": b64encode(noise).decode()}),
        secret.model_copy(update={"nonce": text}),
    ):
        with pytest.raises(NotSealedForThis) as refused:
            open_in_vault(damaged, unwrapped(secret), TENANT, CREDENTIAL)
        assert "planted-secret" not in repr(refused.value)
        assert refused.value.__cause__ is None


@given(SECRETS)
def test_a_worker_opens_its_lease(secrets: dict[str, str]) -> None:
    """With its own key, all fields come back."""
    private_key, public_key = new_lease_key()
    held = lease()
    held = held.model_copy(update={"sealed": seal_for_worker(secrets, public_key, TENANT, held)})
    assert open_lease(held, private_key, TENANT) == secrets


@pytest.mark.parametrize(
    "change",
    [
        {"worker": "worker-2"},
        {"batch_id": BatchId.new()},
        {"credential_id": CredentialId.new()},
        {"provider": ProviderName.ONNX},
        {"expires_at": datetime(2100, 1, 1, tzinfo=UTC)},
        {"version": 2},
        {"id": LeaseId.new()},
        {"purpose": LeasePurpose.PROBE},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_lease_that_says_something_else_does_not_open(change: dict[str, Any]) -> None:
    """Batch, provider, worker and expiry are bound to the secret, not only written beside it."""
    private_key, public_key = new_lease_key()
    held = lease()
    held = held.model_copy(update={"sealed": seal_for_worker({"k": "v"}, public_key, TENANT, held)})
    with pytest.raises(NotSealedForThis):
        open_lease(held.model_copy(update=change), private_key, TENANT)


def test_a_lease_is_of_one_tenant_and_one_key() -> None:
    """Another worker's key, or another tenant, opens nothing."""
    private_key, public_key = new_lease_key()
    held = lease()
    held = held.model_copy(update={"sealed": seal_for_worker({"k": "v"}, public_key, TENANT, held)})
    for key, tenant in ((new_lease_key()[0], TENANT), (private_key, TenantId.new())):
        with pytest.raises(NotSealedForThis):
            open_lease(held, key, tenant)


@pytest.mark.parametrize(
    "public_key",
    ["", "AAAA", "not base64 at all!", b64encode(bytes(33)).decode(), b64encode(bytes(32)).decode()],
)
def test_what_is_no_key_is_refused(public_key: str) -> None:
    """A lease is asked for with an X25519 key or not at all."""
    with pytest.raises(NotSealedForThis):
        seal_for_worker({"k": "v"}, public_key, TENANT, lease())
