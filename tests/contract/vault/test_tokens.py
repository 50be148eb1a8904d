"""The promises of `TokenVault` and `SecretsVault`, kept by transit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.ids import TenantId, UserId
from services.keyvault.transit import TransitVault, key_of, secrets_key_of
from services.keyvault.vault import CiphertextLost, Context, NoTenantKey, VaultRefused
from tests.servers.planted import planted
from tests.servers.vaults import vault_of


@pytest.fixture
async def vault(vault_server: OpenBao) -> AsyncIterator[TransitVault]:
    async with vault_of(vault_server) as vault:
        yield vault


def of_user(tenant: TenantId | None) -> Context:
    return Context(tenant or "platform", "totp", UserId.new())


async def test_tokens_are_signed_with_the_version_that_is_named(vault: TransitVault) -> None:
    """Many at once, of an older and of the newest version, each good under its own public key alone."""
    await vault.rotate_token_key()
    *_, older, newest = await vault.token_keys()
    bodies = [f"token {number}".encode() for number in range(40)]
    keys = [newest if number % 2 else older for number in range(40)]
    signed = await asyncio.gather(
        *(vault.sign_token(key.version, body) for key, body in zip(keys, bodies, strict=True))
    )
    for key, body, signature in zip(keys, bodies, signed, strict=True):
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(signature, body)
    with pytest.raises(InvalidSignature):
        Ed25519PublicKey.from_public_bytes(older.public_key).verify(signed[1], bodies[1])


async def test_the_versions_of_the_token_key_tell_when_they_were_made(vault: TransitVault) -> None:
    """The oldest first, and the one that was just made is the last."""
    before = await vault.token_keys()
    await vault.rotate_token_key()
    after = await vault.token_keys()
    assert list(after[:-1]) == list(before)
    assert after[-1].version == before[-1].version + 1
    assert abs(after[-1].made_at - datetime.now(UTC)) < timedelta(seconds=30)


async def test_a_version_that_is_not_there_signs_nothing(vault: TransitVault) -> None:
    """And fails nobody else's token."""
    [key, *_] = await vault.token_keys()
    good, bad = await asyncio.gather(
        vault.sign_token(key.version, b"good"), vault.sign_token(999, b"bad"), return_exceptions=True
    )
    assert isinstance(good, bytes)
    assert isinstance(bad, VaultRefused)


@pytest.mark.parametrize("realm", ["tenant", "platform"])
async def test_a_kept_secret_opens_for_its_own_row_alone(vault: TransitVault, realm: str) -> None:
    """Of a tenant, or of the platform's own people."""
    tenant = TenantId.new() if realm == "tenant" else None
    if tenant:
        await vault.ensure_secrets_key(tenant)
    context, secret = of_user(tenant), planted().encode()
    made = await vault.protect(tenant, context, secret)
    assert await vault.reveal(tenant, context, made.text) == secret
    with pytest.raises(CiphertextLost):
        await vault.reveal(tenant, of_user(tenant), made.text)


async def test_a_kept_secret_does_not_open_for_another_tenant(vault: TransitVault) -> None:
    """Nor for the platform, even with the same row."""
    one, other = TenantId.new(), TenantId.new()
    await vault.ensure_secrets_key(one)
    await vault.ensure_secrets_key(other)
    context = of_user(one)
    made = await vault.protect(one, context, planted().encode())
    for elsewhere in (other, None):
        with pytest.raises(CiphertextLost):
            await vault.reveal(elsewhere, context, made.text)


async def test_kept_secrets_outlive_a_rotation_of_the_credentials_key(vault: TransitVault) -> None:
    """After which the vault refuses what is under its older versions."""
    tenant = TenantId.new()
    await vault.ensure_tenant_key(tenant)
    await vault.ensure_secrets_key(tenant)
    context, secret = of_user(tenant), planted().encode()
    made = await vault.protect(tenant, context, secret)
    await vault.set_minimum_version(tenant, await vault.rotate(tenant))
    assert await vault.reveal(tenant, context, made.text) == secret


async def test_erasing_the_secrets_key_shreds_them(vault: TransitVault, vault_server: OpenBao) -> None:
    """Again is fine; the key for credentials is another one."""
    tenant = TenantId.new()
    await vault.ensure_tenant_key(tenant)
    await vault.ensure_secrets_key(tenant)
    context = of_user(tenant)
    made = await vault.protect(tenant, context, planted().encode())
    await vault.erase_secrets(tenant)
    await vault.erase_secrets(tenant)
    with pytest.raises(CiphertextLost):
        await vault.reveal(tenant, context, made.text)
    with pytest.raises(NoTenantKey):
        await vault.protect(tenant, context, b"a secret")
    names = vault_server.root_client().list("transit/keys")["data"]["keys"]
    assert key_of(tenant) in names
    assert secrets_key_of(tenant) not in names
