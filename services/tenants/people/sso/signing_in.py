"""Signing in by the tenant's provider: to it, and back with a code."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from datetime import UTC, datetime

from aiohttp import ClientSession
from pydantic import SecretStr

from libs.common.audit.record import record
from libs.common.bus.bus import Bus
from libs.common.contracts.ids import TenantId, UserId
from libs.common.contracts.people import Language, UserState
from libs.common.contracts.sso import BeginSso, FinishSso, SsoRedirect, SsoSession
from libs.common.contracts.tenants import Entitlement, Plan
from libs.common.contracts.tokens import RevealSecret, SecretPurpose
from libs.common.db import Database, Row, Transaction
from libs.common.egress import Guard
from services.tenants.people import store
from services.tenants.people.acting import by_user
from services.tenants.people.errors import NoSso, SsoFailed, SsoNotInPlan
from services.tenants.people.links import digest
from services.tenants.people.sessions import Sessions
from services.tenants.people.settings import PeopleSettings
from services.tenants.people.sso.id_token import Expected, checked
from services.tenants.people.sso.identity import Identity, identity
from services.tenants.people.sso.provider import Metadata, Provider
from services.tenants.people.sso.setup import CALLBACK, sql
from services.tenants.people.store import sql as people_sql


class SsoLogins:
    """The use cases."""

    def __init__(
        self,
        database: Database,
        bus: Bus,
        guard: Guard,
        session: ClientSession,
        settings: PeopleSettings,
        sessions: Sessions,
    ) -> None:
        self._database = database
        self._bus = bus
        self._guard = guard
        self._session = session
        self._redirect_url = settings.public_url.rstrip("/") + CALLBACK
        self._sessions = sessions

    async def begin(self, query: BeginSso, tenant: TenantId) -> SsoRedirect:
        """NoSso, SsoNotInPlan, IssuerRefused, IssuerAway."""
        configured = await self._configured(tenant)
        provider = self._provider(configured)
        metadata = await provider.metadata()
        state = f"{tenant}.{secrets.token_urlsafe(32)}"
        binding, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        async with self._database.tenant(tenant) as tx:
            kept = (digest(state), digest(binding), nonce, verifier, query.return_to)
            await tx.execute(sql.insert_state, tenant, *kept)
        url = provider.authorization_url(
            metadata, configured["client_id"], self._redirect_url, state, nonce, verifier
        )
        return SsoRedirect(url=url, binding=SecretStr(binding))

    async def finish(self, query: FinishSso) -> SsoSession:
        """SsoFailed, SsoNotInPlan, SeatsTaken, IssuerAway."""
        tenant = _tenant_of(query.state)
        begun = await self._begun(tenant, query)
        configured = await self._configured(tenant)
        who = await self._identified(tenant, configured, begun, query)
        async with self._database.tenant(tenant) as tx:
            user = await _user(tx, tenant, who, configured["default_role"])
            opened = await self._sessions.open(tx, user, "sso", query.client)
        return SsoSession(session=opened, return_to=begun["return_to"])

    async def _begun(self, tenant: TenantId, query: FinishSso) -> Row:
        """What was kept of the beginning, which is used up whatever comes of it."""
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.take_state, tenant, digest(query.state.get_secret_value()))
        if row is None or not row["alive"]:
            raise SsoFailed("This sign-in was ended already, or has taken too long.")
        if not hmac.compare_digest(row["binding_sha256"], digest(query.binding.get_secret_value())):
            raise SsoFailed("This sign-in was begun in another browser.")
        return row

    async def _identified(self, tenant: TenantId, configured: Row, begun: Row, query: FinishSso) -> Identity:
        provider = self._provider(configured)
        metadata = await provider.metadata()
        _same_issuer(metadata, query.issuer)
        secret = await self._secret(tenant, configured)
        client = (configured["client_id"], secret)
        tokens, keys = await asyncio.gather(
            provider.exchange(metadata, client, query.code, self._redirect_url, begun["verifier"]),
            provider.keys(metadata),
        )
        expected = Expected(configured["issuer"], configured["client_id"], begun["nonce"])
        claims = checked(tokens[0], keys, expected, datetime.now(UTC))
        if "email" not in claims:
            claims = {**await provider.userinfo(metadata, tokens[1], claims["sub"]), **claims}
        return identity(claims, configured["issuer"], configured["allowed_domains"])

    async def _configured(self, tenant: TenantId) -> Row:
        async with self._database.tenant(tenant) as tx:
            row = await tx.fetchrow(sql.get_sso, tenant)
        if row is None:
            raise NoSso
        if not Plan.model_validate(row["plan"]).has(Entitlement.SSO):
            raise SsoNotInPlan
        return row

    async def _secret(self, tenant: TenantId, configured: Row) -> SecretStr:
        reveal = RevealSecret(
            purpose=SecretPurpose.SSO_CLIENT, owner=tenant, ciphertext=configured["client_secret"]
        )
        return (await self._bus.request(reveal, tenant=tenant)).secret

    def _provider(self, configured: Row) -> Provider:
        return Provider(self._session, self._guard, configured["issuer"])


def _tenant_of(state: SecretStr) -> TenantId:
    try:
        return TenantId(state.get_secret_value().partition(".")[0])
    except ValueError:
        raise SsoFailed("This sign-in was not begun here.") from None


def _same_issuer(metadata: Metadata, named: str | None) -> None:
    """The answer is of the provider that was asked (RFC 9207, against mix-up)."""
    if named is None and not metadata.authorization_response_iss_parameter_supported:
        return
    if named != metadata.issuer:
        raise SsoFailed("The answer comes from another issuer.")


async def _user(tx: Transaction, tenant: TenantId, who: Identity, role: str) -> Row:
    """Whose identity it is; by the address the first time; somebody new if nobody has it."""
    known = await tx.fetchrow(people_sql.user_by_subject, tenant, who.issuer, who.subject)
    if known is None:
        await store.lock_tenant(tx, tenant)  # somebody new may come in two tabs at once
        known = await tx.fetchrow(people_sql.user_by_subject, tenant, who.issuer, who.subject)
    return await (_first_time(tx, tenant, who, role) if known is None else _again(tx, tenant, known))


async def _first_time(tx: Transaction, tenant: TenantId, who: Identity, role: str) -> Row:
    known = await tx.fetchrow(people_sql.user_by_email, tenant, who.email)
    if known is None:
        return await _newcomer(tx, tenant, who, role)
    pinned = await tx.fetchrow(people_sql.pin_subject, tenant, known["id"], who.issuer, who.subject)
    if pinned is None:
        raise SsoFailed("The address belongs to somebody else's identity, or its owner is disabled.")
    record(tx, "user.identity_pinned", known["id"], actor=by_user(known["id"]))
    return pinned


async def _again(tx: Transaction, tenant: TenantId, known: Row) -> Row:
    if known["state"] != UserState.ACTIVE:
        raise SsoFailed("The member is disabled.")
    password = known["password_hash"]
    signed_in = await tx.fetchrow(people_sql.signed_in, tenant, known["id"], password, None)
    if signed_in is None:
        raise SsoFailed("The member was changed at this moment.")
    return signed_in


async def _newcomer(tx: Transaction, tenant: TenantId, who: Identity, role: str) -> Row:
    await store.seat_for(tx, tenant, who.email)
    await tx.execute(people_sql.delete_invite_of, tenant, who.email)
    user_id = UserId.new()
    values = (who.email, who.name, role, Language.ENGLISH, None, who.issuer, who.subject)
    row = await tx.fetchrow(people_sql.insert_user, tenant, user_id, *values)
    assert row is not None
    record(tx, "user.joined", user_id, actor=by_user(user_id), role=role, by="sso")
    return row
