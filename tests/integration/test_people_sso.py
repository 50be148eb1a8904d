"""Single sign-on against a real OpenID provider, and attacks on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
from pydantic import SecretStr

from deploy.local.ports import Ports
from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.access import Role
from libs.common.contracts.ids import TenantId
from libs.common.contracts.people import ChangePassword, ChangeUser, LogIn, UserState
from libs.common.contracts.sso import (
    BeginSso,
    FinishSso,
    GetSso,
    RemoveSso,
    SetSso,
    Sso,
    SsoRedirect,
    SsoSession,
)
from libs.common.contracts.tenants import Plan, Quotas
from libs.common.errors import Refusal
from tests.integration.people_desk import EVERYTHING, Desk, at_desk
from tests.servers.databases import TestDatabase
from tests.servers.oidc import OidcServer, oidc_server
from tests.servers.planted import planted

PUBLIC_URL = "http://127.0.0.1:1"
EMAIL = "layla@shop.example"
SUBJECT = "subject-1"
WITH_SSO = Plan(sso=True)


@pytest.fixture(scope="module")
def oidc(ports: Ports) -> Iterator[OidcServer]:
    with oidc_server(ports, f"{PUBLIC_URL}/api/v1/auth/sso/callback") as server:
        yield server


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    settings = {"public_url": PUBLIC_URL, "sso_allow_private": True}
    async with at_desk(database, nats_server, vault_server, **settings) as desk:
        desk.tenant = await desk.found(plan=WITH_SSO)
        yield desk


async def set_up(desk: Desk, oidc: OidcServer, **changes: Any) -> Sso:
    values = {
        "issuer": oidc.issuer,
        "client_id": "mannequin",
        "client_secret": SecretStr(oidc.secret_of("mannequin")),
        "allowed_domains": ("shop.example",),
    }
    return await desk.gateway.request(SetSso(**(values | changes)), tenant=desk.tenant, timeout=20)


async def begin(desk: Desk, return_to: str = "/") -> SsoRedirect:
    return await desk.gateway.request(BeginSso(return_to=return_to), tenant=desk.tenant, timeout=20)


async def finish(desk: Desk, begun: SsoRedirect, back: dict[str, str], **changes: Any) -> SsoSession:
    values = {
        "state": back["state"],
        "code": back["code"],
        "issuer": back["iss"],
        "binding": begun.binding,
    }
    return await desk.gateway.request(FinishSso(**(values | changes)), timeout=20)


async def sign_in(desk: Desk, oidc: OidcServer, sub: str = SUBJECT, **claims: Any) -> SsoSession:
    said = {"email": EMAIL, "email_verified": True, "name": "Layla Haddad"} | claims
    await oidc.person(sub, **said)
    begun = await begin(desk, "/batches?mine=1")
    return await finish(desk, begun, await oidc.browse(begun.url))


async def failing(asking: Any, code: str = "sso_failed") -> str:
    """What the refusal says."""
    with pytest.raises(Refusal) as refused:
        await asking
    assert refused.value.code == code
    return refused.value.detail


def changed(url: str, **parameters: str) -> str:
    """The URL as an attacker's browser has it."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | parameters
    return urlunsplit(parts._replace(query=urlencode(query)))


async def test_somebody_new_comes_with_the_default_role(desk: Desk, oidc: OidcServer) -> None:
    """And is the same person the next time, by the identity, whatever the address is then."""
    await set_up(desk, oidc, default_role=Role.OPERATOR)
    first = await sign_in(desk, oidc)
    user = first.session.user
    assert (user.email, user.name, user.role, user.sso, user.password) == (
        EMAIL,
        "Layla Haddad",
        Role.OPERATOR,
        True,
        False,
    )
    assert first.return_to == "/batches?mine=1"
    again = await sign_in(desk, oidc, email="other@shop.example")
    assert again.session.user.id == user.id
    assert {"sso.set", "user.joined", "session.opened"} <= set(await desk.audited())


async def test_the_client_secret_is_ciphertext_and_shown_to_nobody(desk: Desk, oidc: OidcServer) -> None:
    """It may be left out later, for the same issuer and client alone."""
    shown = await set_up(desk, oidc)
    assert shown.redirect_url == f"{PUBLIC_URL}/api/v1/auth/sso/callback"
    [row] = await desk.rows("select * from sso")
    assert row["client_secret"].startswith("vault:v")
    assert oidc.secret_of("mannequin") not in f"{dict(row)} {shown!r}"
    kept = await set_up(desk, oidc, client_secret=None, enforce=True)
    assert kept.enforce
    await sign_in(desk, oidc)
    await failing(set_up(desk, oidc, client_secret=None, client_id="another"), "invalid")


async def test_a_member_is_known_by_the_verified_address_and_pinned(desk: Desk, oidc: OidcServer) -> None:
    """From then on, another identity with that address is somebody else, and does not get in."""
    await set_up(desk, oidc)
    opened, _ = await desk.joined(EMAIL)
    assert (await sign_in(desk, oidc)).session.user.id == opened.user.id
    assert "identity" in await failing(sign_in(desk, oidc, sub="subject-2"))


async def test_somebody_new_who_comes_in_two_tabs_at_once_is_one_member(desk: Desk, oidc: OidcServer) -> None:
    """Both get in."""
    await set_up(desk, oidc)
    await oidc.person(SUBJECT, email=EMAIL, email_verified=True)
    tabs = [await begin(desk) for _ in range(3)]
    back = [await oidc.browse(begun.url) for begun in tabs]
    sessions = await asyncio.gather(*(finish(desk, *tab) for tab in zip(tabs, back, strict=True)))
    assert len({one.session.user.id for one in sessions}) == 1
    assert len(await desk.rows("select * from users")) == 1


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email": "layla@elsewhere.example"},
        {"email": "layla@shop.example.evil.example"},
        {"email": None},
    ],
)
async def test_an_address_must_be_verified_and_of_the_domain(
    desk: Desk, oidc: OidcServer, claims: dict[str, Any]
) -> None:
    """Nothing else lets somebody in, and nobody new is made."""
    await set_up(desk, oidc)
    await failing(sign_in(desk, oidc, **claims))
    assert not await desk.rows("select * from users")


async def test_an_answer_counts_once(desk: Desk, oidc: OidcServer) -> None:
    """State and code are used up by the first, even where it failed."""
    await set_up(desk, oidc)
    await oidc.person(SUBJECT, email=EMAIL, email_verified=True)
    begun = await begin(desk)
    back = await oidc.browse(begun.url)
    await finish(desk, begun, back)
    assert "ended already" in await failing(finish(desk, begun, back))
    second = await begin(desk)
    back = await oidc.browse(second.url)
    assert "another browser" in await failing(finish(desk, second, back, binding="wrong"))
    assert "ended already" in await failing(finish(desk, second, back))
    third = await begin(desk)
    made_up = f"{desk.tenant}.made-up"
    for state in (made_up, "nonsense", str(TenantId.new())):
        await failing(finish(desk, third, back, state=state))


async def test_a_state_is_another_tenants_nowhere(desk: Desk, oidc: OidcServer) -> None:
    """An answer that was asked for by one tenant opens nothing in another."""
    await set_up(desk, oidc)
    await oidc.person(SUBJECT, email=EMAIL, email_verified=True)
    begun = await begin(desk)
    back = await oidc.browse(begun.url)
    desk.tenant = await desk.found("Another shop", WITH_SSO)
    await set_up(desk, oidc)
    moved = f"{desk.tenant}.{back['state'].partition('.')[2]}"
    assert "ended already" in await failing(finish(desk, begun, back, state=moved))


async def test_a_token_with_another_nonce_is_refused(desk: Desk, oidc: OidcServer) -> None:
    """It belongs to another sign-in."""
    await set_up(desk, oidc)
    await oidc.person(SUBJECT, email=EMAIL, email_verified=True)
    begun = await begin(desk)
    back = await oidc.browse(changed(begun.url, nonce="an-attackers-own"))
    assert "another sign-in" in await failing(finish(desk, begun, back))


async def test_a_code_of_another_client_or_challenge_is_refused(desk: Desk, oidc: OidcServer) -> None:
    """By the provider: the code is bound to client and PKCE challenge."""
    await set_up(desk, oidc)
    await oidc.person(SUBJECT, email=EMAIL, email_verified=True)
    for parameters in (
        {"client_id": "another"},
        {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
    ):
        begun = await begin(desk)
        back = await oidc.browse(changed(begun.url, **parameters))
        assert "answers 400" in await failing(finish(desk, begun, back))


async def test_an_answer_of_another_issuer_is_refused(desk: Desk, oidc: OidcServer) -> None:
    """Named wrongly or not at all, where the provider says that it names itself (RFC 9207)."""
    await set_up(desk, oidc)
    await oidc.person(SUBJECT, email=EMAIL, email_verified=True)
    for issuer in ("https://elsewhere.example", None):
        begun = await begin(desk)
        back = await oidc.browse(begun.url)
        assert "another issuer" in await failing(finish(desk, begun, back, issuer=issuer))


async def test_a_provider_must_call_itself_by_the_issuer(desk: Desk, oidc: OidcServer) -> None:
    """And must be there; else nothing is set."""
    by_name = oidc.issuer.replace("127.0.0.1", "localhost")
    assert "another issuer" in await failing(set_up(desk, oidc, issuer=by_name), "issuer_refused")
    await failing(set_up(desk, oidc, issuer="http://127.0.0.1:9"), "issuer_unreachable")
    for wrong in ("no url", "ftp://x.example", oidc.issuer + "?x=1"):
        await failing(set_up(desk, oidc, issuer=wrong), "issuer_refused")
    await failing(desk.gateway.request(GetSso(), tenant=desk.tenant), "sso_not_found")


async def test_without_the_setting_a_provider_on_a_private_address_is_refused(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao, oidc: OidcServer
) -> None:
    """The egress guard stands before it, whatever the URL looks like."""
    async with at_desk(database, nats_server, vault_server, public_url=PUBLIC_URL) as desk:
        desk.tenant = await desk.found(plan=WITH_SSO)
        for issuer in (oidc.issuer, "https://127.0.0.1:8443", "https://169.254.169.254"):
            await failing(set_up(desk, oidc, issuer=issuer), "issuer_refused")


async def test_it_is_for_plans_that_have_it(desk: Desk, oidc: OidcServer) -> None:
    """Also where it was set up before the plan was changed."""
    await set_up(desk, oidc)
    await desk.rows("update tenants set plan = plan || '{\"sso\": false}'::jsonb")
    await failing(begin(desk), "not_in_plan")
    await failing(set_up(desk, oidc), "not_in_plan")


async def test_where_it_is_enforced_passwords_are_for_owners(desk: Desk, oidc: OidcServer) -> None:
    """Told only after the password was right; an owner still gets in when the provider is down."""
    await desk.joined("owner@shop.example", password="an owner's own password")
    _, password = await desk.joined(EMAIL, Role.ADMIN)
    await set_up(desk, oidc, enforce=True)
    await failing(desk.gateway.request(LogIn(email=EMAIL, password=SecretStr("wrong"))), "login_failed")
    await failing(desk.gateway.request(LogIn(email=EMAIL, password=password)), "sso_required")
    await desk.log_in("owner@shop.example", SecretStr("an owner's own password"))


async def test_a_newcomer_needs_a_seat_and_a_disabled_member_stays_out(desk: Desk, oidc: OidcServer) -> None:
    """As with every other way in."""
    desk.tenant = await desk.found(plan=Plan(sso=True, quotas=Quotas(members=2)))
    await set_up(desk, oidc)
    await desk.joined("owner@shop.example")
    user = (await sign_in(desk, oidc)).session.user
    await failing(sign_in(desk, oidc, sub="third", email="third@shop.example"), "quota_exceeded")
    off = ChangeUser(user_id=user.id, within=EVERYTHING, state=UserState.DISABLED)
    await desk.gateway.request(off, tenant=desk.tenant)
    assert "disabled" in await failing(sign_in(desk, oidc))


async def test_without_it_people_keep_their_other_ways_in(desk: Desk, oidc: OidcServer) -> None:
    """Whoever had none can set a password while the session goes on."""
    await set_up(desk, oidc)
    session = (await sign_in(desk, oidc)).session
    password = SecretStr(planted())
    query = ChangePassword(user_id=session.user.id, session_id=None, current=None, new=password)
    await desk.gateway.request(query, tenant=desk.tenant)
    await desk.gateway.request(RemoveSso(), tenant=desk.tenant)
    await failing(begin(desk), "sso_not_found")
    assert (await desk.log_in(EMAIL, password)).user.id == session.user.id
