"""Invites, passwords, second factors and sessions, over the bus and in the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.access import ROLES, Role
from libs.common.contracts.ids import SessionId
from libs.common.contracts.people import (
    AcceptInvite,
    BeginTotp,
    ChangePassword,
    ChangeUser,
    ConfirmTotp,
    CreateInvite,
    EndSession,
    EndSessions,
    GetUser,
    ListInvites,
    ListSessions,
    ListUsers,
    LogIn,
    OpenedSession,
    RefreshSession,
    RemoveTotp,
    RemoveUser,
    RevokeInvite,
    UserState,
)
from libs.common.contracts.tenants import Plan, Quotas
from libs.common.errors import Refusal
from services.tenants.people.sweep import sweep
from tests.integration.people_desk import EVERYTHING, Desk, at_desk, code_of
from tests.servers.databases import TestDatabase
from tests.servers.planted import MARK, planted

EMAIL = "layla@shop.example"


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    async with at_desk(database, nats_server, vault_server) as desk:
        yield desk


async def refused(code: str, asking: Awaitable[object]) -> Refusal:
    """The refusal that `asking` meets."""
    with pytest.raises(Refusal) as found:
        await asking
    assert found.value.code == code
    return found.value


async def with_totp(desk: Desk, opened: OpenedSession) -> tuple[SecretStr, list[SecretStr]]:
    """A confirmed second factor, its secret and recovery codes. The code of now is used up."""
    begun = await desk.gateway.request(BeginTotp(user_id=opened.user.id), tenant=desk.tenant)
    query = ConfirmTotp(user_id=opened.user.id, code=code_of(begun.secret))
    codes = (await desk.gateway.request(query, tenant=desk.tenant)).codes
    return begun.secret, list(codes)


async def test_somebody_comes_by_a_link_and_signs_in_again(desk: Desk) -> None:
    """The address in whatever case; the link works once, and only its hash is kept."""
    opened, password = await desk.joined("Layla@Shop.Example")
    assert (opened.user.email, opened.user.role, opened.tenant) == (EMAIL, Role.OWNER, desk.tenant)
    again = await desk.log_in("LAYLA@shop.example", password)
    assert again.session_id != opened.session_id
    rows = await desk.rows("select * from users") + await desk.rows("select * from sessions")
    assert MARK not in str([dict(row) for row in rows])
    assert opened.refresh_token.get_secret_value() not in str([dict(row) for row in rows])
    assert {"invite.created", "user.joined", "session.opened"} <= set(await desk.audited())


async def test_a_link_works_once_and_not_after_it_was_taken_back(desk: Desk) -> None:
    """Nor if it was replaced by a second invite, or is made up."""
    token = await desk.invited(EMAIL)
    second = await desk.invited(EMAIL)
    password = SecretStr(planted())
    for dead in (token, SecretStr("ten_1.inv_1.x"), SecretStr("x" * 300)):
        await refused(
            "link_dead", desk.gateway.request(AcceptInvite(token=dead, name="L", password=password))
        )
    [invite] = (await desk.gateway.request(ListInvites(), tenant=desk.tenant)).items
    assert invite.email == EMAIL
    await desk.gateway.request(RevokeInvite(invite_id=invite.id, within=EVERYTHING), tenant=desk.tenant)
    await refused("link_dead", desk.gateway.request(AcceptInvite(token=second, name="L", password=password)))
    _, _ = await desk.joined(EMAIL)
    await refused(
        "already_member",
        desk.gateway.request(
            CreateInvite(email=EMAIL, role=Role.VIEWER, within=EVERYTHING), tenant=desk.tenant
        ),
    )


async def test_two_who_follow_one_link_at_once_are_one_member(desk: Desk) -> None:
    """The other is told that the link is dead."""
    token = await desk.invited(EMAIL)
    query = AcceptInvite(token=token, name="Layla", password=SecretStr(planted()))
    results = await asyncio.gather(*(desk.gateway.request(query) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(result, OpenedSession) for result in results) == 1
    assert {r.code for r in results if isinstance(r, Refusal)} == {"link_dead"}


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "layla@shop.example", "Layla Layla 1"])
async def test_a_weak_password_is_refused_and_the_link_still_works(desk: Desk, password: str) -> None:
    """Too short, of too few characters, or made of what is known."""
    token = await desk.invited(EMAIL)
    query = AcceptInvite(token=token, name="Layla", password=SecretStr(password))
    await refused("password_weak", desk.gateway.request(query))
    good = query.model_copy(update={"password": SecretStr(planted())})
    assert (await desk.gateway.request(good)).user.email == EMAIL


async def test_a_failed_sign_in_tells_nothing(desk: Desk) -> None:
    """Unknown address, wrong password, disabled member, member of single sign-on: the same answer."""
    await desk.joined("owner@shop.example")
    opened, password = await desk.joined(EMAIL, Role.VIEWER)
    user_id, change = opened.user.id, {"within": EVERYTHING, "state": UserState.DISABLED}
    wrong = SecretStr(planted())
    answers = [
        await refused("login_failed", desk.gateway.request(LogIn(email=email, password=wrong)))
        for email in ("nobody@shop.example", EMAIL, "not an address")
    ]
    await desk.gateway.request(ChangeUser(user_id=user_id, **change), tenant=desk.tenant)
    answers += [await refused("login_failed", desk.gateway.request(LogIn(email=EMAIL, password=password)))]
    assert len({(answer.detail, answer.field, answer.status) for answer in answers}) == 1


async def test_guessing_is_slowed_down_but_never_locked(desk: Desk) -> None:
    """Also with the right password meanwhile; addresses that nobody has are slowed down alike."""
    _, password = await desk.joined(EMAIL)
    for email in (EMAIL, "nobody@shop.example"):
        for _ in range(6):
            await refused(
                "login_failed", desk.gateway.request(LogIn(email=email, password=SecretStr("wrong")))
            )
        slowed = await refused(
            "too_many_attempts", desk.gateway.request(LogIn(email=email, password=password))
        )
        assert slowed.retry_after is not None
        assert 1 <= slowed.retry_after <= 2
    await desk.rows("update login_failures set until = now()")
    await desk.log_in(EMAIL, password)
    assert not await desk.rows("select * from login_failures where failures > 6")


async def test_many_guesses_at_once_gain_nothing(desk: Desk) -> None:
    """An attempt counts before it is looked at."""
    await desk.joined(EMAIL)
    query = LogIn(email=EMAIL, password=SecretStr("wrong"))
    results = await asyncio.gather(
        *(desk.gateway.request(query, timeout=20) for _ in range(20)), return_exceptions=True
    )
    codes = [result.code for result in results if isinstance(result, Refusal)]
    assert codes.count("login_failed") == 6
    assert codes.count("too_many_attempts") == 14


async def test_one_address_in_two_tenants_chooses_after_the_password(desk: Desk) -> None:
    """Only where it is right in both; with another password in each, the password says which."""
    other = await desk.found("Another shop")
    _, password = await desk.joined(EMAIL)
    same, _ = await desk.joined(EMAIL, tenant=other, password=password.get_secret_value())
    outcome = await desk.gateway.request(LogIn(email=EMAIL, password=password))
    assert outcome.session is None
    assert {choice.id: choice.name for choice in outcome.choices} == {
        desk.tenant: "A shop",
        other: "Another shop",
    }
    await refused("login_failed", desk.gateway.request(LogIn(email=EMAIL, password=SecretStr("wrong"))))
    assert (await desk.log_in(EMAIL, password, tenant=other)).user.id == same.user.id
    fresh = SecretStr(planted())
    await desk.gateway.request(
        ChangePassword(user_id=same.user.id, session_id=None, current=password, new=fresh), tenant=other
    )
    assert (await desk.log_in(EMAIL, fresh)).tenant == other
    assert (await desk.log_in(EMAIL, password)).tenant == desk.tenant


async def test_a_second_factor_is_asked_for_once_it_is_confirmed(desk: Desk) -> None:
    """Its secret is ciphertext at rest; a code is taken once, and so is each recovery code."""
    opened, password = await desk.joined(EMAIL)
    begun = await desk.gateway.request(BeginTotp(user_id=opened.user.id), tenant=desk.tenant)
    await desk.log_in(EMAIL, password)  # it does not count yet
    wrong = ConfirmTotp(user_id=opened.user.id, code=SecretStr("000000"))
    await refused("wrong_code", desk.gateway.request(wrong, tenant=desk.tenant))
    right = wrong.model_copy(update={"code": code_of(begun.secret)})
    codes = (await desk.gateway.request(right, tenant=desk.tenant)).codes
    [row] = await desk.rows("select * from users")
    assert row["totp_ciphertext"].startswith("vault:v")
    assert begun.secret.get_secret_value() not in str(dict(row))
    await refused("totp_required", desk.gateway.request(LogIn(email=EMAIL, password=password)))
    again = LogIn(email=EMAIL, password=password, code=code_of(begun.secret))
    await refused("login_failed", desk.gateway.request(again))  # used up by the confirmation
    await desk.log_in(EMAIL, password, code=code_of(begun.secret, 1))
    await desk.log_in(EMAIL, password, code=codes[3])
    spent = LogIn(email=EMAIL, password=password, code=codes[3])
    await refused("login_failed", desk.gateway.request(spent))
    assert "totp.recovery_code_used" in await desk.audited()


async def test_one_code_lets_one_in_of_many_at_once(desk: Desk) -> None:
    """The replay is refused by the database, not by luck."""
    opened, password = await desk.joined(EMAIL)
    secret, _ = await with_totp(desk, opened)
    query = LogIn(email=EMAIL, password=password, code=code_of(secret, 1))
    results = await asyncio.gather(
        *(desk.gateway.request(query, timeout=20) for _ in range(4)), return_exceptions=True
    )
    assert sum(not isinstance(result, BaseException) for result in results) == 1


async def test_a_second_factor_is_removed_with_a_code_alone(desk: Desk) -> None:
    """Nothing else removes it, and it can't be begun anew over one that counts."""
    opened, password = await desk.joined(EMAIL)
    _, codes = await with_totp(desk, opened)
    user_id = opened.user.id
    await refused("totp_active", desk.gateway.request(BeginTotp(user_id=user_id), tenant=desk.tenant))
    wrong = RemoveTotp(user_id=user_id, code=SecretStr("123456"))
    await refused("wrong_code", desk.gateway.request(wrong, tenant=desk.tenant))
    right = RemoveTotp(user_id=user_id, code=codes[0])
    await desk.gateway.request(right, tenant=desk.tenant)
    await desk.log_in(EMAIL, password)
    assert not await desk.rows("select * from recovery_codes")


async def test_a_refresh_turns_the_token_over_and_a_reused_one_ends_the_session(desk: Desk) -> None:
    """A refresh that comes twice within the grace gets the same next token, so that pages don't fight."""
    opened, _ = await desk.joined(EMAIL)
    first = RefreshSession(refresh_token=opened.refresh_token)
    one, two = await asyncio.gather(desk.gateway.request(first), desk.gateway.request(first))
    assert one.refresh_token == two.refresh_token != opened.refresh_token
    third = await desk.gateway.request(RefreshSession(refresh_token=one.refresh_token))
    assert third.session_id == opened.session_id
    await refused("session_ended", desk.gateway.request(first))
    assert [told.session_id for told in await desk.revoked()] == [opened.session_id]
    alive = RefreshSession(refresh_token=third.refresh_token)
    await refused("session_ended", desk.gateway.request(alive))
    assert (await desk.audited())[-1] == "session.ended"


async def test_after_the_grace_the_token_before_ends_the_session(desk: Desk) -> None:
    """Two hold it, and nobody knows which of them is the right one."""
    opened, _ = await desk.joined(EMAIL)
    query = RefreshSession(refresh_token=opened.refresh_token)
    await desk.gateway.request(query)
    await desk.rows("update sessions set rotated_at = now() - interval '1 minute'")
    await refused("session_ended", desk.gateway.request(query))
    assert (await desk.rows("select ended_at from sessions"))[0]["ended_at"]


@pytest.mark.parametrize(
    "change",
    [
        "expires_at = now()",
        "last_used_at = now() - interval '8 days'",
        "ended_at = now()",
    ],
)
async def test_a_session_has_an_end(desk: Desk, change: str) -> None:
    """After thirty days, seven without use, or when it was ended; none of them counts as theft."""
    opened, _ = await desk.joined(EMAIL)
    await desk.rows(f"update sessions set {change}")
    query = RefreshSession(refresh_token=opened.refresh_token)
    await refused("session_ended", desk.gateway.request(query))
    assert await desk.revoked() == []


async def test_sessions_are_listed_and_ended_one_by_one_and_all(desk: Desk) -> None:
    """Each end is told to the gateways in the same transaction."""
    opened, password = await desk.joined(EMAIL)
    second = await desk.log_in(EMAIL, password)
    mine = ListSessions(user_id=opened.user.id)
    listed = (await desk.gateway.request(mine, tenant=desk.tenant)).items
    assert [one.id for one in listed] == [second.session_id, opened.session_id]
    unknown = EndSessions(user_id=opened.user.id, session_id=SessionId.new())
    await refused("session_not_found", desk.gateway.request(unknown, tenant=desk.tenant))
    await desk.gateway.request(EndSession(refresh_token=second.refresh_token))
    await desk.gateway.request(EndSession(refresh_token=second.refresh_token))
    await desk.gateway.request(EndSession(refresh_token=SecretStr("nonsense")))
    await desk.gateway.request(EndSessions(user_id=opened.user.id), tenant=desk.tenant)
    assert (await desk.gateway.request(mine, tenant=desk.tenant)).items == ()
    assert [r.session_id for r in await desk.revoked()] == [second.session_id, opened.session_id]


async def test_a_new_password_ends_every_other_session(desk: Desk) -> None:
    """And needs the one before."""
    opened, password = await desk.joined(EMAIL)
    other = await desk.log_in(EMAIL, password)
    fresh = SecretStr(planted())
    query = ChangePassword(
        user_id=opened.user.id, session_id=opened.session_id, current=SecretStr("wrong"), new=fresh
    )
    await refused("wrong_password", desk.gateway.request(query, tenant=desk.tenant))
    await desk.gateway.request(query.model_copy(update={"current": password}), tenant=desk.tenant)
    await desk.gateway.request(RefreshSession(refresh_token=opened.refresh_token))
    ended = RefreshSession(refresh_token=other.refresh_token)
    await refused("session_ended", desk.gateway.request(ended))
    assert [r.session_id for r in await desk.revoked()] == [other.session_id]


async def test_a_role_is_changed_and_its_tokens_die(desk: Desk) -> None:
    """Nobody gives or takes what is beyond their own role."""
    await desk.joined("owner@shop.example")
    opened, _ = await desk.joined(EMAIL, Role.ADMIN)
    by_admin = ChangeUser(user_id=opened.user.id, within=ROLES[Role.ADMIN], role=Role.OWNER)
    await refused("role_not_yours", desk.gateway.request(by_admin, tenant=desk.tenant))
    lower = by_admin.model_copy(update={"role": Role.VIEWER})
    changed = await desk.gateway.request(lower, tenant=desk.tenant)
    assert changed.role is Role.VIEWER
    assert [r.subject for r in await desk.revoked()] == [opened.user.id]
    refreshed = await desk.gateway.request(RefreshSession(refresh_token=opened.refresh_token))
    assert refreshed.user.role is Role.VIEWER
    invite = CreateInvite(email="x@shop.example", role=Role.OWNER, within=ROLES[Role.ADMIN])
    await refused("role_not_yours", desk.gateway.request(invite, tenant=desk.tenant))


async def test_the_last_owner_stays(desk: Desk) -> None:
    """Neither demoted, disabled nor removed; of two at once, one stays."""
    first, _ = await desk.joined(EMAIL)
    ways: list[Any] = [
        ChangeUser(user_id=first.user.id, within=EVERYTHING, role=Role.ADMIN),
        ChangeUser(user_id=first.user.id, within=EVERYTHING, state=UserState.DISABLED),
        RemoveUser(user_id=first.user.id, within=EVERYTHING),
    ]
    for way in ways:
        await refused("last_owner", desk.gateway.request(way, tenant=desk.tenant))
    second, _ = await desk.joined("second@shop.example")
    both = [RemoveUser(user_id=one.user.id, within=EVERYTHING) for one in (first, second)]
    results = await asyncio.gather(
        *(desk.gateway.request(query, tenant=desk.tenant) for query in both), return_exceptions=True
    )
    assert [r.code for r in results if isinstance(r, Refusal)] == ["last_owner"]
    assert len((await desk.gateway.request(ListUsers(), tenant=desk.tenant)).items) == 1


async def test_a_disabled_member_is_out_at_once(desk: Desk) -> None:
    """Session and tokens; enabled again, they sign in anew."""
    await desk.joined("owner@shop.example")
    opened, password = await desk.joined(EMAIL, Role.VIEWER)
    off = ChangeUser(user_id=opened.user.id, within=EVERYTHING, state=UserState.DISABLED)
    await desk.gateway.request(off, tenant=desk.tenant)
    query = RefreshSession(refresh_token=opened.refresh_token)
    await refused("session_ended", desk.gateway.request(query))
    revoked = await desk.revoked()
    assert [r.session_id for r in revoked] == [opened.session_id, None]
    assert revoked[1].subject == opened.user.id
    on = off.model_copy(update={"state": UserState.ACTIVE})
    await desk.gateway.request(on, tenant=desk.tenant)
    await desk.log_in(EMAIL, password)


async def test_members_and_open_invites_take_seats(desk: Desk) -> None:
    """As many as the plan has; many at once don't get past it."""
    tenant = await desk.found(plan=Plan(quotas=Quotas(members=2)))
    await desk.joined(EMAIL, tenant=tenant)
    queries = [CreateInvite(email=f"{n}@shop.example", role=Role.VIEWER, within=EVERYTHING) for n in range(4)]
    results = await asyncio.gather(
        *(desk.gateway.request(query, tenant=tenant) for query in queries), return_exceptions=True
    )
    refusals = [r for r in results if isinstance(r, Refusal)]
    assert [(r.code, r.status) for r in refusals] == [("quota_exceeded", 402)] * 3


async def test_another_tenant_sees_nobody_of_this_one(desk: Desk) -> None:
    """Neither lists, nor gets, nor changes."""
    opened, _ = await desk.joined(EMAIL)
    other = await desk.found("Another shop")
    assert (await desk.gateway.request(ListUsers(), tenant=other)).items == ()
    queries: list[Any] = [
        GetUser(user_id=opened.user.id),
        ChangeUser(user_id=opened.user.id, within=EVERYTHING, role=Role.VIEWER),
        RemoveUser(user_id=opened.user.id, within=EVERYTHING),
    ]
    for query in queries:
        await refused("member_not_found", desk.gateway.request(query, tenant=other))


async def test_what_is_over_is_swept(desk: Desk) -> None:
    """Sessions a week after their end; what is open stays."""
    opened, password = await desk.joined(EMAIL)
    await desk.log_in(EMAIL, password)
    await desk.rows(
        "update sessions set ended_at = now() - interval '8 days' where id = $1", opened.session_id
    )
    await sweep(desk.database)
    assert len(await desk.rows("select * from sessions")) == 1
