"""Secrets on their way: sealed for the vault's intake, or for one worker.

Towards a worker: HPKE (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM. Towards the vault: AES-256-GCM
under a key that is wrapped by RSA-OAEP (SHA-256), whose private half never leaves the vault's transit engine.
What a sealed secret is for is bound to it: opened for anything else, it does not open.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, hpke, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from libs.common.contracts.credentials import IntakeKey, Lease, SealedSecret
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.errors import Invalid

_SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_NONCE_BYTES = 12
_SEALED = {"sealed"}


class NotSealedForThis(Invalid):
    """The secret was not sealed for this use, or it was damaged. Seal it anew and send it again."""

    default_code = "not_sealed_for_this"


Secrets = Mapping[str, str]
"""Secret fields by their names. Not to be logged, kept or put into an exception."""


def seal_for_vault(
    secrets: Secrets, key: IntakeKey, tenant: TenantId, credential: CredentialId
) -> SealedSecret:
    """Seal the secret fields of one credential of one tenant for the vault alone."""
    public_key = serialization.load_pem_public_key(key.public_key.encode())
    assert isinstance(public_key, rsa.RSAPublicKey)
    content_key, nonce = AESGCM.generate_key(256), os.urandom(_NONCE_BYTES)
    ciphertext = AESGCM(content_key).encrypt(nonce, _json(secrets), _intake_binding(tenant, credential))
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return SealedSecret(
        key_version=key.version,
        wrapped_key=_text(public_key.encrypt(content_key, oaep)),
        nonce=_text(nonce),
        ciphertext=_text(ciphertext),
    )


def open_in_vault(
    sealed: SealedSecret, content_key: bytes, tenant: TenantId, credential: CredentialId
) -> dict[str, str]:
    """The secret fields; `content_key` is what the transit engine unwrapped. NotSealedForThis."""
    try:
        opened = AESGCM(content_key).decrypt(
            b64decode(sealed.nonce), b64decode(sealed.ciphertext), _intake_binding(tenant, credential)
        )
        fields = json.loads(opened)
    except (InvalidTag, ValueError):
        raise NotSealedForThis from None
    return {str(name): str(value) for name, value in fields.items()}


def new_lease_key() -> tuple[X25519PrivateKey, str]:
    """A worker's fresh key, and its public half for `LeaseCredential` (base64)."""
    private_key = X25519PrivateKey.generate()
    return private_key, _text(private_key.public_key().public_bytes_raw())


def seal_for_worker(secrets: Secrets, public_key: str, tenant: TenantId, lease: Lease) -> str:
    """The sealed secret of a lease, whose own `sealed` is ignored. NotSealedForThis for no X25519 key."""
    try:
        recipient = X25519PublicKey.from_public_bytes(b64decode(public_key, validate=True))
        return _text(_SUITE.encrypt(_json(secrets), recipient, _lease_binding(tenant, lease)))
    except ValueError:  # also a point of low order, whose shared secret everybody knows
        raise NotSealedForThis("public_key is not an X25519 key of 32 bytes in base64") from None


def open_lease(lease: Lease, private_key: X25519PrivateKey, tenant: TenantId) -> dict[str, str]:
    """The secret fields of a lease. NotSealedForThis if it is another key's, tenant's or use's."""
    try:
        opened = _SUITE.decrypt(b64decode(lease.sealed), private_key, _lease_binding(tenant, lease))
    except (InvalidTag, ValueError):
        raise NotSealedForThis from None
    return {str(name): str(value) for name, value in json.loads(opened).items()}


def _intake_binding(tenant: TenantId, credential: CredentialId) -> bytes:
    return f"mannequin intake v1|{tenant}|{credential}".encode()


def _lease_binding(tenant: TenantId, lease: Lease) -> bytes:
    """Everything that a lease says, as bytes; whatever is changed on the way, it no longer opens."""
    return f"mannequin lease v1|{tenant}|{lease.model_dump_json(exclude=_SEALED)}".encode()


def _json(secrets: Secrets) -> bytes:
    return json.dumps(dict(secrets), separators=(",", ":")).encode()


def _text(data: bytes) -> str:
    return b64encode(data).decode()
