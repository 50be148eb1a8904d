"""What people try on each other: guessing, overtaking, getting in each other's way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.access import ROLES, Role
from libs.common.contracts.people import (
    AcceptInvite,
    ChangePassword,
    ChangeUser,
    Client,
    CreateInvite,
    EndSession,
    ListInvites,
    LogIn,
    ResetPassword,
    RevokeInvite,
)
from libs.common.errors import Refusal
from services.gateway.auth.standing import Revocation, Revoked, Standing
from services.tenants.people.links import digest, new_token
from tests.integration.people_desk import EVERYTHING, Desk, at_desk
from tests.integration.test_people_signing_in import refused
from tests.servers.databases import TestDatabase
from tests.servers.planted import planted

EMAIL = "layla@shop.example"


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    async with at_desk(database, nats_server, vault_server) as desk:
        yield desk


async def test_a_token_that_overtakes_the_news_of_its_end_is_dead_too(desk: Desk) -> None:
    """One that was asked for before a gateway heard of it: an ended session never gets another, and one
    that holds the old role was signed within moments of the change.
    """
    await desk.joined("owner@shop.example")
    opened, _ = await desk.joined(EMAIL, Role.ADMIN)
    lower = ChangeUser(user_id=opened.user.id, within=EVERYTHING, role=Role.VIEWER)
    await desk.gateway.request(lower, tenant=desk.tenant)
    await desk.gateway.request(EndSession(refresh_token=opened.refresh_token))
    changed, ended = await desk.revoked()
    gateway = Standing()
    gateway.learn_revocations(
        [
            Revocation(Revoked.SUBJECT, opened.user.id, changed.before.timestamp(), time.time() + 600),
            Revocation(Revoked.SESSION, opened.session_id, ended.before.timestamp(), time.time() + 600),
        ]
    )
    second = int(time.time())
    assert gateway.revokes(token=None, session=None, subject=opened.user.id, issued_at=second + 1)
    assert not gateway.revokes(token=None, session=None, subject=opened.user.id, issued_at=second + 5)
    assert gateway.revokes(token=None, session=opened.session_id, subject=None, issued_at=second + 600)


async def test_an_owner_of_another_tenant_does_not_clear_the_count_of_an_address(desk: Desk) -> None:
    """Whoever has an address invited to a tenant of their own knows a password that is right there."""
    await desk.joined(EMAIL)
    theirs = await desk.found("A guesser's shop")
    _, known = await desk.joined(EMAIL, tenant=theirs)
    for _ in range(5):
        guess = LogIn(email=EMAIL, password=SecretStr(planted()), tenant=desk.tenant)
        await refused("login_failed", desk.gateway.request(guess))
    opened = await desk.log_in(EMAIL, known, tenant=theirs)
    change = ChangePassword(
        user_id=opened.user.id, session_id=None, current=known, new=SecretStr(planted("another"))
    )
    await desk.gateway.request(change, tenant=theirs)
    guess = LogIn(email=EMAIL, password=SecretStr(planted()), tenant=desk.tenant)
    await refused("login_failed", desk.gateway.request(guess))
    await refused("too_many_attempts", desk.gateway.request(guess))


async def test_who_is_slowed_down_by_where_from_slows_nobody_down(desk: Desk) -> None:
    """An attempt that is not looked at counts for nothing, also not against whoever it names."""
    _, password = await desk.joined(EMAIL)
    somewhere = Client(ip=ip_address("203.0.113.9"))
    for n in range(21):
        guess = LogIn(email=f"{n}@shop.example", password=SecretStr("wrong"), client=somewhere)
        await refused("login_failed", desk.gateway.request(guess))
    await desk.rows("update login_failures set until = now() + interval '1 hour' where key like 'address:%'")
    guess = LogIn(email=EMAIL, password=SecretStr("wrong"), client=somewhere)
    for _ in range(7):
        await refused("too_many_attempts", desk.gateway.request(guess))
    await desk.log_in(EMAIL, password)


async def test_a_changed_password_makes_a_link_for_another_dead(desk: Desk) -> None:
    """Whoever changes it because somebody reads their letters must not lose it again within the hour."""
    opened, password = await desk.joined(EMAIL)
    link = new_token(opened.user.id, desk.tenant)
    await desk.rows(
        "insert into password_resets values ($1, $2, $3, now() + interval '1 hour')",
        *(desk.tenant, opened.user.id, digest(link)),
    )
    change = ChangePassword(
        user_id=opened.user.id,
        session_id=opened.session_id,
        current=password,
        new=SecretStr(planted("another")),
    )
    await desk.gateway.request(change, tenant=desk.tenant)
    reset = ResetPassword(token=SecretStr(link), password=SecretStr(planted()))
    await refused("link_dead", desk.gateway.request(reset))


async def test_inviting_again_and_accepting_at_once_wait_for_each_other(desk: Desk) -> None:
    """Both hold the tenant's seats before they touch the invite, so that neither waits in a circle."""
    query = CreateInvite(email=EMAIL, role=Role.OWNER, within=EVERYTHING)
    for n in range(8):
        email = f"{n}@shop.example"
        accept = AcceptInvite(token=await desk.invited(email), name="L", password=SecretStr(planted()))
        again = query.model_copy(update={"email": email})
        results = await asyncio.gather(
            desk.gateway.request(accept),
            desk.gateway.request(again, tenant=desk.tenant),
            return_exceptions=True,
        )
        codes = {r.code if isinstance(r, Refusal) else r for r in results if isinstance(r, Exception)}
        assert codes <= {"link_dead", "already_member"}


async def test_an_invite_to_a_higher_role_is_not_taken_back_from_below(desk: Desk) -> None:
    """Or an admin would have a say in who becomes an owner."""
    token = await desk.invited(EMAIL)
    [invite] = (await desk.gateway.request(ListInvites(), tenant=desk.tenant)).items
    revoke = RevokeInvite(invite_id=invite.id, within=ROLES[Role.ADMIN])
    await refused("role_not_yours", desk.gateway.request(revoke, tenant=desk.tenant))
    await desk.gateway.request(AcceptInvite(token=token, name="L", password=SecretStr(planted())))


async def test_somebody_is_invited_again_while_their_letter_still_waits(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao
) -> None:
    """The mail server is away: the second invite takes the first one's place, with its letter."""
    nowhere = {"smtp_url": SecretStr("smtp://127.0.0.1:1"), "mail_from": "platform@platform.example"}
    async with at_desk(database, nats_server, vault_server, **nowhere) as desk:
        query = CreateInvite(email=EMAIL, role=Role.OWNER, within=EVERYTHING)
        first = await desk.gateway.request(query, tenant=desk.tenant)
        second = await desk.gateway.request(query, tenant=desk.tenant)
        assert first.invite.id != second.invite.id
        [waiting] = await desk.rows("select invite_id from mails")
        assert waiting["invite_id"] == second.invite.id
