"""People over HTTP, on the whole system: cookies, permissions, members, staff inside a tenant."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pyotp

from deploy.local.ports import Ports
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.access import API_KEY_PERMISSIONS, ROLES, Role, StaffRole
from libs.common.contracts.ids import TenantId
from libs.common.contracts.people import CreateInvite
from libs.common.contracts.staff import CreateStaff
from libs.common.contracts.tenants import Plan, SetPlan
from services.gateway.routes.login import FORGOTTEN_S
from tests.servers.oidc import oidc_server
from tests.servers.planted import planted
from tests.servers.system import System

LIMIT_S = 10.0
API, PLATFORM = "/api/v1", "/api/v1/platform"


@asynccontextmanager
async def browser(system: System, **headers: str) -> AsyncIterator[httpx.AsyncClient]:
    """Something with cookies, on a page of ours."""
    origin = {"origin": system.api_url}
    async with httpx.AsyncClient(base_url=system.api_url, headers=origin | headers, timeout=30) as client:
        yield client


async def asked(system: System, query: Any, tenant: TenantId | None = None) -> Any:
    """As the operator."""
    bus = connect(system.supervisor.addresses.bus_url, flow.OPERATOR)
    await bus.start()
    try:
        return await bus.request(query, tenant=tenant, timeout=20)
    finally:
        await bus.close()


async def owner_of(system: System, tenant: TenantId, client: httpx.AsyncClient) -> dict[str, str]:
    """Address and password of a new tenant's first owner, who is signed in with `client`."""
    email = f"owner@{tenant[4:]}.example"
    query = CreateInvite(email=email, role=Role.OWNER, within=ROLES[Role.OWNER])
    created = await asked(system, query, tenant)
    token, password = created.link.get_secret_value().partition("#")[2], planted()
    body = {"token": token, "name": "Layla", "password": password}
    accepted = await client.post(f"{API}/auth/invites/accept", json=body)
    assert accepted.status_code == 200, accepted.text
    return {"email": email, "password": password}


async def until(condition: Any) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not await condition():
            await asyncio.sleep(0.02)


async def test_a_session_lives_in_cookies_that_no_script_reads(system: System) -> None:
    """From the invite to the end: who am I, refresh, sign out, and the token is dead within a second."""
    tenant, _, _ = await system.make_tenant("a shop with people")
    async with browser(system) as client:
        credentials = await owner_of(system, tenant, client)
        me = (await client.get(f"{API}/me")).json()
        assert (me["user"]["email"], me["tenant_id"]) == (credentials["email"], tenant)
        assert set(me["permissions"]) == set(ROLES[Role.OWNER])
        signed_in = await client.post(f"{API}/auth/login", json=credentials)
        assert signed_in.status_code == 200
        cookies = signed_in.headers.get_list("set-cookie")
        assert len(cookies) == 2
        assert all("HttpOnly" in cookie for cookie in cookies)
        refreshed = await client.post(f"{API}/auth/refresh")
        assert refreshed.json()["session_id"] == signed_in.json()["session_id"]
        access = dict(client.cookies)["mannequin"]
        assert (await client.post(f"{API}/auth/logout")).status_code == 204
        assert not client.cookies
        bearer = {"authorization": f"Bearer {access}"}
        await until(lambda: is_refused(client, bearer))
        assert (await client.post(f"{API}/auth/refresh")).json()["code"] == "session_ended"


async def is_refused(client: httpx.AsyncClient, headers: dict[str, str]) -> bool:
    return (await client.get(f"{API}/me", headers=headers)).status_code == 401


async def test_no_other_site_uses_the_cookies_or_signs_somebody_in(system: System) -> None:
    """What a browser says of where a request comes from is believed."""
    tenant, _, _ = await system.make_tenant("a shop with a neighbour")
    async with browser(system) as client:
        credentials = await owner_of(system, tenant, client)
        elsewhere = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
        for path, body in (
            ("auth/login", credentials),
            ("auth/refresh", None),
            ("auth/logout", None),
            ("me/totp", None),
        ):
            answer = await client.post(f"{API}/{path}", json=body, headers=elsewhere)
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf")
        assert (await client.get(f"{API}/me")).status_code == 200


async def test_a_failed_sign_in_is_a_problem_that_tells_nothing(system: System) -> None:
    """401 with a challenge; 429 with the seconds to wait once it was too often."""
    async with browser(system) as client:
        body = {"email": f"x{uuid4().hex}@shop.example", "password": "wrong wrong wrong"}
        for _ in range(6):
            answer = await client.post(f"{API}/auth/login", json=body)
            assert (answer.status_code, answer.json()["code"]) == (401, "login_failed")
            assert answer.headers["www-authenticate"]
        answer = await client.post(f"{API}/auth/login", json=body)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
        assert int(answer.headers["retry-after"]) >= 1
        forgotten = await client.post(f"{API}/auth/password/forgot", json={"email": body["email"]})
        assert forgotten.status_code == 202


async def test_two_factor_sign_in_is_set_up_with_a_picture(system: System) -> None:
    """Then a code is asked for; an API key can do none of it."""
    tenant, _, key = await system.make_tenant("a careful shop")
    async with browser(system) as client:
        credentials = await owner_of(system, tenant, client)
        by_key = {"authorization": f"Bearer {key.get_secret_value()}"}
        assert (await client.get(f"{API}/me", headers=by_key)).status_code == 403
        begun = (await client.post(f"{API}/me/totp")).json()
        assert begun["otpauth_uri"].startswith("otpauth://totp/")
        assert begun["qr_svg"].startswith("<svg")
        totp = pyotp.TOTP(begun["secret"])
        confirmed = await client.post(f"{API}/me/totp/confirm", json={"code": totp.now()})
        codes = confirmed.json()["recovery_codes"]
        assert len(codes) == 10
        answer = await client.post(f"{API}/auth/login", json=credentials)
        assert answer.json()["code"] == "totp_required"
        with_code = credentials | {"code": totp.at(int(time.time()) + 30)}
        assert (await client.post(f"{API}/auth/login", json=with_code)).status_code == 200
        removed = await client.delete(f"{API}/me/totp", headers={"totp-code": codes[0]})
        assert removed.status_code == 204


async def test_a_key_of_one_member_brings_no_answer_to_another(system: System) -> None:
    """What concerns the caller alone is done for each of them, whatever their Idempotency-Keys are."""
    tenant, _, _ = await system.make_tenant("a shop of two")
    same = {"idempotency-key": "the-same"}
    async with browser(system) as first, browser(system) as second:
        await owner_of(system, tenant, first)
        begun = await first.post(f"{API}/me/totp", headers=same)
        assert begun.json()["secret"]
        repeated = await first.post(f"{API}/me/totp", headers=same)
        assert (repeated.status_code, repeated.json()["secret"]) == (200, None)
        invited = await first.post(f"{API}/invites", json={"email": "b@shop.example", "role": "viewer"})
        body = {"token": invited.json()["link"].partition("#")[2], "name": "B", "password": planted()}
        assert (await second.post(f"{API}/auth/invites/accept", json=body)).status_code == 200
        answer = await second.post(f"{API}/me/totp", headers=same)
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_asking_for_a_new_password_takes_as_long_whoever_has_the_address(system: System) -> None:
    """There is more to do for one that is known, which the time must not tell."""
    async with browser(system) as client:
        began = time.monotonic()
        answer = await client.post(f"{API}/auth/password/forgot", json={"email": "nobody@shop.example"})
        assert answer.status_code == 202
        assert time.monotonic() - began >= FORGOTTEN_S


async def test_members_are_invited_changed_and_removed(system: System) -> None:
    """A viewer sees pictures and no members; a raised role holds with the next token."""
    tenant, _, _ = await system.make_tenant("a growing shop")
    async with browser(system) as owner, browser(system) as viewer:
        await owner_of(system, tenant, owner)
        body = {"email": f"viewer@{tenant[4:]}.example", "role": "viewer"}
        invite = (await owner.post(f"{API}/invites", json=body)).json()
        assert [one["id"] for one in (await owner.get(f"{API}/invites")).json()["items"]] == [invite["id"]]
        token = invite["link"].partition("#")[2]
        joining = {"token": token, "name": "Omar", "password": planted()}
        joined = (await viewer.post(f"{API}/auth/invites/accept", json=joining)).json()
        assert (await viewer.get(f"{API}/batches")).status_code == 200
        assert (await viewer.get(f"{API}/members")).json()["code"] == "forbidden"
        member = f"{API}/members/{joined['user']['id']}"
        assert (await owner.patch(member, json={"role": "operator"})).json()["role"] == "operator"
        await until(lambda: is_refused(viewer, {}))
        refreshed = (await viewer.post(f"{API}/auth/refresh")).json()
        assert set(refreshed["permissions"]) == set(ROLES[Role.OPERATOR])
        assert (await owner.delete(member)).status_code == 204
        assert (await viewer.post(f"{API}/auth/refresh")).status_code == 401
        [last] = (await owner.get(f"{API}/members")).json()["items"]
        removed = await owner.delete(f"{API}/members/{last['id']}")
        assert (removed.status_code, removed.json()["code"]) == (409, "last_owner")


async def staff_signed_in(system: System, client: httpx.AsyncClient, role: StaffRole) -> str:
    """Through the first sign-in with `client`; the person's id."""
    email = f"staff{uuid4().hex}@platform.example"
    created = await asked(system, CreateStaff(email=email, name="Noor", role=role))
    body = {"email": email, "password": created.password.get_secret_value()}
    first = (await client.post(f"{PLATFORM}/auth/login", json=body)).json()
    assert first["session_id"] is None
    code = pyotp.TOTP(first["enrolment"]["secret"]).now()
    second = await client.post(
        f"{PLATFORM}/auth/login", json=body | {"code": code, "new_password": planted()}
    )
    assert second.status_code == 200, second.text
    assert len(second.json()["recovery_codes"]) == 10
    return str(created.staff.id)


async def test_the_staff_is_a_realm_apart(system: System) -> None:
    """Their session opens nothing of a tenant, a tenant's nothing of theirs; support can't hire."""
    tenant, _, _ = await system.make_tenant("a shop beside the platform")
    async with browser(system) as staff, browser(system) as owner:
        await owner_of(system, tenant, owner)
        person = await staff_signed_in(system, staff, StaffRole.SUPPORT)
        me = (await staff.get(f"{PLATFORM}/me")).json()
        assert (me["staff"]["id"], me["staff"]["role"]) == (person, "support")
        assert (await staff.get(f"{API}/members")).status_code == 401
        assert (await owner.get(f"{PLATFORM}/me")).status_code == 401
        assert (await staff.get(f"{PLATFORM}/staff")).json()["code"] == "forbidden"
        assert (await staff.post(f"{PLATFORM}/auth/refresh")).status_code == 200
        assert (await staff.post(f"{PLATFORM}/auth/logout")).status_code == 204
        assert (await staff.get(f"{PLATFORM}/me")).status_code == 401


async def test_an_admin_hires_and_invites_a_tenants_first_owner(system: System) -> None:
    """The password of a newcomer is shown once; a repeat of the request makes nobody new."""
    tenant, _, _ = await system.make_tenant("a new customer")
    async with browser(system) as staff:
        await staff_signed_in(system, staff, StaffRole.ADMIN)
        key = {"idempotency-key": uuid4().hex}
        body = {"email": f"s{uuid4().hex}@platform.example", "name": "Sami", "role": "finance"}
        hired = (await staff.post(f"{PLATFORM}/staff", json=body, headers=key)).json()
        again = (await staff.post(f"{PLATFORM}/staff", json=body, headers=key)).json()
        assert again == hired | {"initial_password": None}
        path = f"{PLATFORM}/staff/{hired['id']}"
        assert (await staff.patch(path, json={"role": "support"})).json()["role"] == "support"
        assert (await staff.delete(path)).status_code == 204
        invite = {"email": f"first@{tenant[4:]}.example", "role": "owner"}
        made = await staff.post(f"{PLATFORM}/tenants/{tenant}/invites", json=invite)
        assert made.status_code == 201
        assert "/invite#" in made.json()["link"]


async def test_staff_act_inside_a_tenant_for_a_reason_and_a_time(system: System) -> None:
    """With a role's permissions, without those that leave access behind; the tenant reads of it."""
    tenant, _, _ = await system.make_tenant("a shop in need of help")
    reason = "Ticket 4711: why does the batch hang?"
    async with browser(system) as staff, browser(system) as inside, browser(system) as owner:
        await owner_of(system, tenant, owner)
        person = await staff_signed_in(system, staff, StaffRole.SUPPORT)
        place = f"{PLATFORM}/tenants/{tenant}/impersonation"
        assert (await staff.post(place, json={"reason": "short"})).status_code == 422
        begun = (await staff.post(place, json={"reason": reason, "role": "admin", "minutes": 5})).json()
        inside.headers["authorization"] = f"Bearer {begun['access_token']}"
        assert (await inside.get(f"{API}/batches")).status_code == 200
        assert (await inside.get(f"{API}/me")).status_code == 403
        invite = {"email": "left@behind.example", "role": "viewer"}
        assert (await inside.post(f"{API}/invites", json=invite)).status_code == 403
        assert not {"members:write", "api_keys:write", "me:write"} & API_KEY_PERMISSIONS
        ended = await staff.delete(f"{place}/{begun['session_id']}")
        assert ended.json()["ended_at"]
        await until(lambda: is_refused_batches(inside))
        assert [one["staff_id"] for one in (await staff.get(place)).json()["items"]] == [person]
        await until(lambda: reads_of_it(owner, person, reason))


async def is_refused_batches(client: httpx.AsyncClient) -> bool:
    return (await client.get(f"{API}/batches")).status_code == 401


async def reads_of_it(client: httpx.AsyncClient, person: str, reason: str) -> bool:
    """Whether the tenant's audit log tells of beginning and end."""
    answer = await client.get(f"{API}/audit-log", params={"actor": person})
    answer.raise_for_status()
    told = {entry["action"]: entry["detail"].get("reason") for entry in answer.json()["items"]}
    return all(told.get(action) == reason for action in ("impersonation.began", "impersonation.ended"))


async def test_single_sign_on_goes_to_the_provider_and_back_into_a_session(
    system: System, ports: Ports
) -> None:
    """In one browser: another one, or the same answer again, gets nothing; keys can't set it up."""
    tenant, _, key = await system.make_tenant("a shop with its own directory")
    await asked(system, SetPlan(plan=Plan(sso=True)), tenant)
    callback = f"{API}/auth/sso/callback"
    with oidc_server(ports, system.api_url + callback) as oidc:
        await oidc.person("subject-1", email=f"layla@{tenant[4:]}.example", email_verified=True)
        body = {
            "issuer": oidc.issuer,
            "client_id": "mannequin",
            "client_secret": oidc.secret_of("mannequin"),
            "allowed_domains": [f"{tenant[4:]}.example"],
            "default_role": "operator",
        }
        async with browser(system) as owner, browser(system) as newcomer, browser(system) as thief:
            await owner_of(system, tenant, owner)
            by_key = {"authorization": f"Bearer {key.get_secret_value()}"}
            assert (await owner.put(f"{API}/sso", json=body, headers=by_key)).status_code == 403
            set_up = (await owner.put(f"{API}/sso", json=body)).json()
            assert set_up["redirect_url"] == system.api_url + callback
            assert "client_secret" not in set_up
            start = f"{API}/auth/sso/{tenant}/start"
            assert (await newcomer.get(start, params={"return_to": "//evil.example"})).status_code == 422
            begun = await newcomer.get(start, params={"return_to": "/batches"})
            assert begun.status_code == 302
            back = await oidc.browse(begun.headers["location"])
            stolen = await thief.get(callback, params=back)
            assert (stolen.status_code, stolen.json()["code"]) == (401, "sso_failed")
            signed_in = await newcomer.get(callback, params=back)
            assert (signed_in.status_code, signed_in.headers["location"]) == (302, "/batches")
            me = (await newcomer.get(f"{API}/me")).json()
            assert (me["user"]["role"], me["user"]["sso"], me["tenant_id"]) == ("operator", True, tenant)
            assert (await newcomer.get(callback, params=back)).status_code == 401
            denied = await newcomer.get(callback, params={"state": back["state"], "error": "access_denied"})
            assert denied.json()["code"] == "sso_failed"
            unknown = await newcomer.get(f"{API}/auth/sso/{TenantId.new()}/start")
            assert (unknown.status_code, unknown.json()["code"]) == (404, "sso_not_found")
            assert (await owner.delete(f"{API}/sso")).status_code == 204
