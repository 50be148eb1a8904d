"""Erasing a tenant's key: nothing that it ever stored can be read again, and a certificate says so."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.credentials import EraseCredentials, ErasureCertificate, ListCredentials, RotateKey
from libs.common.contracts.ids import TenantId
from services.keyvault.checks import Checks
from services.keyvault.decrypt import decrypt
from services.keyvault.encrypt import encrypt
from services.keyvault.erase import Erasures
from services.keyvault.errors import KeyMoved
from services.keyvault.revoke import Revoker
from services.keyvault.rotate import Rotations
from services.keyvault.service import CredentialsService
from services.keyvault.transit import key_of
from services.keyvault.vault import CiphertextLost, Context, VaultUnavailable
from services.keyvault.versions import Epoch, hold_key
from tests.integration.keyvault_desk import BACKUP_DAYS, Desk, at_desk, until
from tests.servers.databases import TestDatabase
from tests.servers.planted import planted
from tests.servers.vaults import vault_of


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    async with at_desk(database, nats_server, vault_server) as desk:
        yield desk


async def erase(desk: Desk) -> ErasureCertificate:
    return await desk.operator.request(EraseCredentials(), tenant=desk.tenant, timeout=20)


def verified(certificate: ErasureCertificate) -> dict[str, object]:
    """What the certificate says, once its signature was found to be good."""
    key = Ed25519PublicKey.from_public_bytes(b64decode(certificate.public_key))
    key.verify(b64decode(certificate.signature), certificate.statement.encode())
    said: dict[str, object] = json.loads(certificate.statement)
    return said


async def test_the_certificate_says_what_became_unreadable_and_is_signed(desk: Desk) -> None:
    """All that the tenant ever stored, of every version; and when the last backup is gone."""
    one, other = await desk.create(), await desk.create()
    await desk.replacement(one.id)
    certificate = await erase(desk)
    said = verified(certificate)
    assert (said["tenant"], said["key"]) == (desk.tenant, key_of(desk.tenant))
    assert (said["credentials"], said["secret_versions"]) == (2, 3)
    erased_at = datetime.fromisoformat(str(said["erased_at"]))
    assert abs(datetime.now(UTC) - erased_at) < timedelta(minutes=1)
    assert certificate.backups_expire_at == erased_at + timedelta(days=BACKUP_DAYS)
    assert said["backups_expire_at"] == certificate.backups_expire_at.isoformat()
    forged = certificate.model_copy(update={"statement": certificate.statement.replace("2", "1")})
    with pytest.raises(InvalidSignature):
        verified(forged)
    assert other.id not in certificate.statement


async def test_a_copy_of_the_database_from_before_can_not_be_read(desk: Desk) -> None:
    """Neither what was current nor what was kept to roll back to."""
    made = await desk.create()
    await desk.replacement(made.id)
    backup = await desk.secrets(made.id)
    context = Context(desk.tenant, made.provider, made.id)
    assert all([await decrypt(desk.vault, context, row["ciphertext"]) for row in backup.values()])
    await erase(desk)
    for row in backup.values():
        with pytest.raises(CiphertextLost):
            await decrypt(desk.vault, context, row["ciphertext"])


async def test_a_key_that_is_made_anew_does_not_open_what_was_erased(desk: Desk) -> None:
    """A tenant may come back: its new credentials work, its old ones stay lost.

    That its old key had been rotated says nothing of the new one, whose versions begin anew.
    """
    made = await desk.create()
    await desk.operator.request(RotateKey(), tenant=desk.tenant, timeout=20)
    backup = (await desk.secrets(made.id))[1]["ciphertext"]
    await erase(desk)
    secret = planted()
    fresh = await desk.create({"bearer": secret})
    row = (await desk.secrets(fresh.id))[1]
    context = Context(desk.tenant, fresh.provider, fresh.id)
    assert await decrypt(desk.vault, context, row["ciphertext"]) == {"bearer": secret}
    with pytest.raises(CiphertextLost):
        await decrypt(desk.vault, Context(desk.tenant, made.provider, made.id), backup)
    done = await desk.operator.request(RotateKey(), tenant=desk.tenant, timeout=20)
    assert (done.key_version, done.rewrapped) == (2, 1)


async def test_erasing_forgets_the_ciphertexts_and_ends_the_leases(desk: Desk) -> None:
    """The credentials are told as deleted; the certificate and the audit stay."""
    made = await desk.create()
    await desk.replacement(made.id)
    lease = await desk.lease(made)
    certificate = await erase(desk)
    assert {row["ciphertext"] for row in (await desk.secrets(made.id)).values()} == {None}
    assert await desk.ended(lease)
    assert (await desk.gateway.request(ListCredentials(), tenant=desk.tenant)).items == ()
    await until(lambda: any(told.deleted for told in desk.heard.of(made.id)))
    await until(lambda: any(told.version is None for told in desk.heard.revoked))
    [row] = await desk.rows("select * from erasures where tenant_id = $1", desk.tenant)
    assert (row["statement"], row["signature"]) == (certificate.statement, certificate.signature)
    last = (await desk.audit())[-1]
    assert (last.action, last.actor, last.detail["credentials"]) == ("key.erased", "operator", "1")


async def test_erasing_again_is_fine_and_certified_again(desk: Desk) -> None:
    """As it is for a tenant that never stored anything."""
    await desk.create()
    first, second = verified(await erase(desk)), verified(await erase(desk))
    assert first["credentials"] == second["credentials"] == 1
    desk.tenant = TenantId.new()
    assert verified(await erase(desk))["credentials"] == 0


async def test_no_other_tenant_loses_anything(desk: Desk) -> None:
    """Each has a key of its own."""
    secret, ours = planted(), desk.tenant
    made = await desk.create({"bearer": secret})
    desk.tenant = TenantId.new()
    await desk.buy(desk.tenant)
    await desk.create()
    await erase(desk)
    row = (await desk.secrets(made.id))[1]
    assert await decrypt(desk.vault, Context(ours, made.provider, made.id), row["ciphertext"]) == {
        "bearer": secret
    }


async def test_what_was_encrypted_before_an_erasure_is_not_stored_after_it(desk: Desk) -> None:
    """It could never be read."""
    made = await desk.create()
    context = Context(desk.tenant, made.provider, made.id)
    early = await encrypt(desk.vault, context, {"bearer": planted()})
    await erase(desk)
    async with desk.database.tenant(desk.tenant) as tx:
        with pytest.raises(KeyMoved):
            await hold_key(tx, desk.tenant, Epoch(0), early)


async def test_while_the_vault_is_away_nothing_is_erased_by_halves(desk: Desk, vault_server: OpenBao) -> None:
    """Nor is anything stored: both can be tried again later."""
    made = await desk.create()
    before = await desk.secrets(made.id)
    query = await desk.creation()
    async with vault_of(vault_server, vault_addr="https://127.0.0.1:1") as away:
        revoker, checks = Revoker(desk.gateway), Checks(desk.database, 1)
        with pytest.raises(VaultUnavailable):
            await Erasures(desk.database, away, revoker, backup_days=1).erase(EraseCredentials(), desk.tenant)
        with pytest.raises(VaultUnavailable):
            await CredentialsService(desk.database, away, checks, revoker).create(query, desk.tenant)
        with pytest.raises(VaultUnavailable):
            await Rotations(desk.database, away).rotate(RotateKey(), desk.tenant)
    assert await desk.secrets(made.id) == before
    assert await desk.get(made.id) == made
    assert verified(await erase(desk))["credentials"] == 1
