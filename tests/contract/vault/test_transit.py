"""The promises of `Vault`, kept by transit."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.ids import CredentialId, TenantId
from services.keyvault.transit import BATCH_LIMIT, TransitVault
from services.keyvault.vault import Ciphertext, CiphertextLost, Context, NoTenantKey
from tests.servers.planted import planted
from tests.servers.vaults import vault_of


@pytest.fixture
async def vault(vault_server: OpenBao) -> AsyncIterator[TransitVault]:
    async with vault_of(vault_server) as vault:
        yield vault


@pytest.fixture
async def tenant(vault: TransitVault) -> TenantId:
    """A tenant with a key."""
    tenant = TenantId.new()
    await vault.ensure_tenant_key(tenant)
    return tenant


def row(tenant: TenantId, provider: str = "photoroom") -> Context:
    return Context(tenant, provider, CredentialId.new())


async def encrypted(vault: TransitVault, tenant: TenantId, count: int) -> list[tuple[Context, str, bytes]]:
    """As many secrets, each with its row."""
    rows = [(row(tenant), planted().encode()) for _ in range(count)]
    made = await asyncio.gather(*(vault.encrypt(tenant, context, secret) for context, secret in rows))
    return [(context, one.text, secret) for (context, secret), one in zip(rows, made, strict=True)]


async def test_what_was_encrypted_decrypts(vault: TransitVault, tenant: TenantId) -> None:
    """Under the first version of the tenant's key, as the ciphertext says."""
    context, secret = row(tenant), planted().encode()
    made = await vault.encrypt(tenant, context, secret)
    assert made.key_version == 1
    assert made.text.startswith("vault:v1:")
    assert await vault.decrypt(tenant, context, made.text) == secret


async def test_a_key_that_many_make_at_once_is_one(vault: TransitVault) -> None:
    """The first credentials of a tenant may come together, from several processes."""
    tenants = [TenantId.new() for _ in range(5)]
    await asyncio.gather(*(vault.ensure_tenant_key(tenant) for tenant in tenants for _ in range(8)))
    assert [await vault.key_version(tenant) for tenant in tenants] == [1] * 5


@pytest.mark.parametrize("changed", ["tenant", "provider", "credential_id"])
async def test_a_ciphertext_that_was_moved_does_not_decrypt(
    vault: TransitVault, tenant: TenantId, changed: str
) -> None:
    """To another tenant's row, another provider's, another credential's: under the very same transit key."""
    context = row(tenant)
    made = await vault.encrypt(tenant, context, planted().encode())
    elsewhere = {
        "tenant": Context(TenantId.new(), context.provider, context.credential_id),
        "provider": Context(context.tenant, "aws-sagemaker", context.credential_id),
        "credential_id": Context(context.tenant, context.provider, CredentialId.new()),
    }
    with pytest.raises(CiphertextLost):
        await vault.decrypt(tenant, elsewhere[changed], made.text)


async def test_a_tenants_ciphertext_does_not_decrypt_under_anothers_key(
    vault: TransitVault, tenant: TenantId
) -> None:
    """Even where the row's context is kept."""
    other = TenantId.new()
    await vault.ensure_tenant_key(other)
    context = row(tenant)
    made = await vault.encrypt(tenant, context, planted().encode())
    with pytest.raises(CiphertextLost):
        await vault.decrypt(other, context, made.text)


async def test_a_missing_key_is_not_silently_made(vault: TransitVault, vault_server: OpenBao) -> None:
    """Transit would, of another kind, wherever the policy has `create` on encrypt."""
    tenant = TenantId.new()
    with pytest.raises(NoTenantKey):
        await vault.encrypt(tenant, row(tenant), b"a secret")
    assert vault_server.root_client().read(f"transit/keys/t-{tenant.replace('_', '-')}") is None


async def test_making_the_same_key_at_once_makes_one(vault: TransitVault) -> None:
    """Two first credentials of one tenant may come together; the key that is there stays as it is."""
    tenant = TenantId.new()
    await asyncio.gather(*(vault.ensure_tenant_key(tenant) for _ in range(8)))
    context, secret = row(tenant), planted().encode()
    made = await vault.encrypt(tenant, context, secret)
    await vault.ensure_tenant_key(tenant)
    assert await vault.key_version(tenant) == 1
    assert await vault.decrypt(tenant, context, made.text) == secret


async def test_tenants_keys_are_derived_and_can_not_be_exported(
    vault: TransitVault, tenant: TenantId, vault_server: OpenBao
) -> None:
    """AES-256-GCM, a key a row, and no way out."""
    key = vault_server.root_client().read(f"transit/keys/t-{tenant.replace('_', '-')}")["data"]
    assert (key["type"], key["derived"], key["exportable"]) == ("aes256-gcm96", True, False)
    assert not key["allow_plaintext_backup"]


async def test_one_bad_item_does_not_fail_its_batch(vault: TransitVault, tenant: TenantId) -> None:
    """Many at once, some of them rubbish: each has its own answer, in spite of going out together."""
    good = await encrypted(vault, tenant, 60)
    bad = ["rubbish", "vault:v1:AAAA", "vault:v7:" + b64encode(b"x" * 60).decode(), ""]
    asked = [(context, text) for context, text, _ in good]
    asked[7:7] = [(row(tenant), text) for text in bad]
    answers = await asyncio.gather(*(vault.decrypt(tenant, *one) for one in asked), return_exceptions=True)
    assert [type(answer) for answer in answers[7:11]] == [CiphertextLost] * len(bad)
    assert answers[:7] + answers[11:] == [secret for _, _, secret in good]


async def test_more_at_once_than_a_batch_holds_are_all_answered(
    vault: TransitVault, tenant: TenantId
) -> None:
    """The vault refuses a request with too many strings in it."""
    made = await encrypted(vault, tenant, 2 * BATCH_LIMIT + 30)
    answers = await asyncio.gather(*(vault.decrypt(tenant, context, text) for context, text, _ in made))
    assert answers == [secret for _, _, secret in made]


async def test_rotation_keeps_old_ciphertexts_until_the_minimum_version_is_raised(
    vault: TransitVault, tenant: TenantId
) -> None:
    """Rewrapped ones go on, the others end; setting the same minimum again is fine."""
    made = await encrypted(vault, tenant, BATCH_LIMIT + 20)
    assert await vault.rotate(tenant) == 2
    rewrapped = await vault.rewrap(tenant, [(context, text) for context, text, _ in made])
    texts = [one.text for one in rewrapped if isinstance(one, Ciphertext) and one.key_version == 2]
    context, old, secret = made[0]
    assert await vault.decrypt(tenant, context, old) == secret
    for _ in range(2):
        await vault.set_minimum_version(tenant, 2)
    with pytest.raises(CiphertextLost):
        await vault.decrypt(tenant, context, old)
    rows = [context for context, _, _ in made]
    answers = await asyncio.gather(*(vault.decrypt(tenant, *one) for one in zip(rows, texts, strict=True)))
    assert answers == [secret for _, _, secret in made]


async def test_rewrapping_names_the_item_that_can_not_be(vault: TransitVault, tenant: TenantId) -> None:
    """In its place; the others are done."""
    made = await encrypted(vault, tenant, 3)
    items = [(context, text) for context, text, _ in made]
    items[1] = (items[1][0], "vault:v1:AAAA")
    first, broken, last = await vault.rewrap(tenant, items)
    assert isinstance(broken, CiphertextLost)
    assert isinstance(first, Ciphertext)
    assert isinstance(last, Ciphertext)


async def test_erasure_makes_everything_of_the_tenant_undecryptable(
    vault: TransitVault, tenant: TenantId
) -> None:
    """And no key of another tenant; erasing again is fine, and a new key does not bring the old back."""
    other = TenantId.new()
    await vault.ensure_tenant_key(other)
    ((context, text, _),) = await encrypted(vault, tenant, 1)
    ((kept, kept_text, secret),) = await encrypted(vault, other, 1)
    await vault.erase(tenant)
    await vault.erase(tenant)
    with pytest.raises(CiphertextLost):
        await vault.decrypt(tenant, context, text)
    await vault.ensure_tenant_key(tenant)
    with pytest.raises(CiphertextLost):
        await vault.decrypt(tenant, context, text)
    assert await vault.decrypt(other, kept, kept_text) == secret


async def test_work_on_the_key_of_a_tenant_without_one_says_so(vault: TransitVault) -> None:
    """Whatever is asked."""
    tenant = TenantId.new()
    for work in (vault.rotate(tenant), vault.key_version(tenant), vault.set_minimum_version(tenant, 1)):
        with pytest.raises(NoTenantKey):
            await work
    await vault.erase(tenant)


async def test_fingerprints_are_keyed_and_the_same_for_the_same(vault: TransitVault) -> None:
    """An HMAC under a key of the vault: without it nobody can try secrets until one fits."""
    one, again, other = await asyncio.gather(
        vault.fingerprint(b"a secret"), vault.fingerprint(b"a secret"), vault.fingerprint(b"another")
    )
    digest = hashes.Hash(hashes.SHA256())
    digest.update(b"a secret")
    assert one == again != other
    assert len(bytes.fromhex(one)) == 32
    assert one != digest.finalize().hex()


async def test_what_is_wrapped_for_the_intake_is_unwrapped(vault: TransitVault) -> None:
    """RSA-4096 with OAEP and SHA-256, by the public key that is handed out."""
    key = await vault.intake_key()
    public_key = serialization.load_pem_public_key(key.public_key.encode())
    assert isinstance(public_key, rsa.RSAPublicKey)
    assert public_key.key_size == 4096
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    wrapped = b64encode(public_key.encrypt(b"k" * 32, oaep)).decode()
    assert await vault.unwrap(key.version, wrapped) == b"k" * 32
    with pytest.raises(CiphertextLost):
        await vault.unwrap(key.version, b64encode(b"x" * 512).decode())


async def test_a_statement_is_signed(vault: TransitVault) -> None:
    """Ed25519, verified by another library."""
    signature = await vault.sign(b"a statement")
    key = Ed25519PublicKey.from_public_bytes(b64decode(await vault.certificate_key()))
    key.verify(b64decode(signature), b"a statement")
