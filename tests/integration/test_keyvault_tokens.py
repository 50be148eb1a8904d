"""Tokens, kept secrets and statements of the keyvault service, on a real vault, database and broker."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.access import ActorKind
from libs.common.contracts.audit import ActionAudited
from libs.common.contracts.erasure import SignStatement
from libs.common.contracts.ids import SessionId, StaffId, TenantId, UserId
from libs.common.contracts.tokens import (
    GetTokenKeys,
    Protected,
    ProtectSecret,
    Realm,
    RevealSecret,
    RotateTokenKey,
    SecretPurpose,
    SignToken,
    TokenKeysChanged,
)
from libs.common.db import Database
from libs.common.errors import Invalid, NotFound
from libs.common.lifecycle import Lifecycle
from services.gateway.auth.token_keys import TokenKeyBook
from services.gateway.auth.tokens import TokenCheck
from services.keyvault.secrets import handlers as secrets
from services.keyvault.tokens import handlers as tokens
from services.keyvault.transit import TransitVault
from tests.servers.databases import TestDatabase
from tests.servers.planted import planted
from tests.servers.vaults import vault_of

REASON = "ticket 4711, at the tenant's wish"


@dataclass
class Desk:
    """The service; the buses of those who may ask it."""

    database: Database
    vault: TransitVault
    gateway: Bus
    tenants: Bus
    operator: Bus
    tenant: TenantId = field(default_factory=TenantId.new)

    async def audited(self, tenant: TenantId | None) -> list[ActionAudited]:
        async with self.database.platform("look") as tx:
            rows = await tx.fetch(
                "select headers, data from outbox where tenant_id is not distinct from $1", tenant
            )
        wire = ActionAudited.wire
        return [ActionAudited.model_validate_json(r["data"]) for r in rows if r["headers"]["type"] == wire]

    async def protect(self, secret: str, owner: str, tenant: TenantId | None) -> Protected:
        query = ProtectSecret(purpose=SecretPurpose.TOTP, owner=owner, secret=SecretStr(secret))
        return await self.tenants.request(query, tenant=tenant)

    async def reveal(self, kept: Protected, owner: str, tenant: TenantId | None, **other: Any) -> str:
        query = RevealSecret(
            purpose=other.get("purpose", SecretPurpose.TOTP), owner=owner, ciphertext=kept.ciphertext
        )
        return (await self.tenants.request(query, tenant=tenant)).secret.get_secret_value()


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:

        async def bus(service: str) -> Bus:
            made = connect(nats_server.url, service)
            stack.push_async_callback(made.close)
            await made.start()
            return made

        lifecycle = Lifecycle()
        stack.push_async_callback(lifecycle.close)
        own = await lifecycle.open("database", database.of("keyvault"))
        vault = await stack.enter_async_context(vault_of(vault_server))
        serving = await bus("keyvault")
        await tokens.attach(serving, own, vault, lead_s=0)
        await secrets.attach(serving, own, vault)
        yield Desk(own, vault, await bus("gateway"), await bus("tenants"), await bus(flow.OPERATOR))


async def test_a_token_is_verified_by_the_published_keys(desk: Desk) -> None:
    """Of a tenant and of the platform, each in its realm."""
    check = TokenCheck(TokenKeyBook(lambda: desk.gateway.request(GetTokenKeys())))
    user, person = UserId.new(), StaffId.new()
    of_tenant = SignToken(aud=Realm.TENANT, sub=user, scope="images:read", sid=SessionId.new())
    of_platform = SignToken(aud=Realm.PLATFORM, sub=person, scope="platform:usage:read")
    for query, tenant in ((of_tenant, desk.tenant), (of_platform, None)):
        issued = await desk.gateway.request(query, tenant=tenant)
        claims = await check.check(issued.token.get_secret_value())
        assert claims == issued.claims
        assert (claims.sub, claims.tenant_id, claims.sid) == (query.sub, tenant, query.sid)


@pytest.mark.parametrize(
    ("asked", "acting_for", "given"), [(60, None, 60), (3600, None, 900), (3600, REASON, 3600)]
)
async def test_lives_are_cut_to_what_is_allowed(
    desk: Desk, asked: int, acting_for: str | None, given: int
) -> None:
    """A quarter of an hour; an hour for acting inside a tenant."""
    subject = StaffId.new() if acting_for else UserId.new()
    query = SignToken(aud=Realm.TENANT, sub=subject, scope="", lifetime_s=asked, acting_for=acting_for)
    claims = (await desk.gateway.request(query, tenant=desk.tenant)).claims
    assert claims.exp - claims.iat == given


async def test_every_token_for_acting_inside_a_tenant_is_on_record(desk: Desk) -> None:
    """In the tenant's own audit log: who, why, and which token; no other token is."""
    person, session = StaffId.new(), SessionId.new()
    inside = SignToken(aud=Realm.TENANT, sub=person, scope="", sid=session, acting_for=REASON)
    claims = (await desk.gateway.request(inside, tenant=desk.tenant)).claims
    await desk.gateway.request(SignToken(aud=Realm.TENANT, sub=UserId.new(), scope=""), tenant=desk.tenant)
    [told] = await desk.audited(desk.tenant)
    assert (told.action, told.target, told.detail["session"]) == ("token.issued", claims.jti, session)
    assert (told.actor.kind, told.actor.id, told.actor.acting_for) == (ActorKind.STAFF, person, REASON)


async def test_a_request_across_the_realms_is_refused(desk: Desk) -> None:
    """By the service itself, whoever asks."""
    query = SignToken(aud=Realm.PLATFORM, sub=StaffId.new(), scope="")
    with pytest.raises(Invalid):
        await desk.gateway.request(query, tenant=desk.tenant)


async def test_a_new_key_is_told_to_everybody_and_recorded(desk: Desk) -> None:
    """The set has the older ones too; tokens of theirs go on."""
    heard: list[object] = []

    async def hear(delivery: object) -> None:
        heard.append(delivery)

    await desk.gateway.listen(TokenKeysChanged, hear)
    before = await desk.gateway.request(GetTokenKeys())
    issued = await desk.gateway.request(
        SignToken(aud=Realm.TENANT, sub=UserId.new(), scope=""), tenant=desk.tenant
    )
    after = await desk.operator.request(RotateTokenKey())
    assert after.keys[:-1] == before.keys
    check = TokenCheck(TokenKeyBook(lambda: desk.gateway.request(GetTokenKeys())))
    assert await check.check(issued.token.get_secret_value()) == issued.claims
    assert after.keys[-1]["kid"] in [told.target for told in await desk.audited(None)]
    assert len(heard) == 1


@pytest.mark.parametrize("realm", ["tenant", "platform"])
async def test_a_kept_secret_is_revealed_to_its_own_row_alone(desk: Desk, realm: str) -> None:
    """Not for another purpose, row or tenant, and not if a letter of it was changed."""
    tenant = desk.tenant if realm == "tenant" else None
    owner, secret = UserId.new(), planted()
    kept = await desk.protect(secret, owner, tenant)
    assert secret not in kept.ciphertext
    assert await desk.reveal(kept, owner, tenant) == secret
    damaged = Protected(ciphertext=kept.ciphertext[:-6] + "AAAA==")
    for wrong in (
        desk.reveal(kept, UserId.new(), tenant),
        desk.reveal(kept, owner, TenantId.new()),
        desk.reveal(kept, owner, tenant, purpose=SecretPurpose.SSO_CLIENT),
        desk.reveal(damaged, owner, tenant),
        desk.reveal(Protected(ciphertext="rubbish"), owner, tenant),
    ):
        with pytest.raises(NotFound):
            await wrong


async def test_the_end_of_the_key_is_the_end_of_what_was_kept(desk: Desk) -> None:
    """Wherever a copy of the ciphertext lies."""
    owner = UserId.new()
    kept = await desk.protect(planted(), owner, desk.tenant)
    await desk.vault.erase_secrets(desk.tenant)
    with pytest.raises(NotFound):
        await desk.reveal(kept, owner, desk.tenant)


async def test_a_certificate_of_erasure_is_signed(desk: Desk) -> None:
    """With the platform's key, over the very bytes."""
    sha256 = "ab" * 32
    statement = json.dumps({"kind": "mannequin.erasure.v1/tenant", "tenant_sha256": sha256})
    signed = await desk.tenants.request(SignStatement(statement=statement, tenant_sha256=sha256))
    key = Ed25519PublicKey.from_public_bytes(b64decode(signed.public_key))
    key.verify(b64decode(signed.signature), statement.encode())
    with pytest.raises(Invalid):
        await desk.tenants.request(SignStatement(statement="{}", tenant_sha256=sha256))
