"""A tenant's own view of itself and of its API keys, through the public API of the whole system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from libs.common.contracts.access import Role
from libs.common.contracts.ids import TenantId
from tests.servers.system import System
from tests.servers.tokens import member

LIMIT_S = 20.0


@asynccontextmanager
async def signed_in(system: System, tenant: TenantId, role: Role) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody of the tenant."""
    badge = member(system.supervisor.addresses, tenant, role)
    headers = await asyncio.to_thread(lambda: badge.headers)
    async with httpx.AsyncClient(base_url=f"{system.api_url}/api/v1", headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
async def tenant(system: System) -> TenantId:
    return (await system.make_tenant("Maison"))[0]


@pytest.fixture
async def owner(system: System, tenant: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    async with signed_in(system, tenant, Role.OWNER) as client:
        yield client


async def status_with(
    system: System, secret: str, path: str = "/images/img_01hzy3k5v7m9q2w4x6z8b0c1d4"
) -> int:
    """What the API answers a caller with this key."""
    async with httpx.AsyncClient(base_url=f"{system.api_url}/api/v1") as client:
        return (await client.get(path, headers={"authorization": f"Bearer {secret}"})).status_code


async def until(system: System, secret: str, status: int) -> None:
    """The gateway hears of a key a moment later."""
    async with asyncio.timeout(LIMIT_S):
        while await status_with(system, secret) != status:
            await asyncio.sleep(0.02)


async def test_a_tenant_sees_itself_and_changes_what_is_its_own(
    system: System, tenant: TenantId, owner: httpx.AsyncClient
) -> None:
    """Name and contact; what it bought is not its to say, and who may only look changes nothing."""
    shown = (await owner.get("/tenant")).json()
    assert (shown["id"], shown["name"], shown["status"]) == (tenant, "Maison", "active")
    assert shown["plan"]["quotas"]["images_month"] is None
    changed = await owner.patch("/tenant", json={"name": "Étoile", "contact_email": "IT@Maison.example"})
    assert (changed.json()["name"], changed.json()["contact_email"]) == ("Étoile", "it@maison.example")
    cleared = await owner.patch("/tenant", json={"contact_email": ""})
    assert (cleared.json()["name"], cleared.json()["contact_email"]) == ("Étoile", None)
    for wrong in (
        {"plan": {"byok": True}},
        {"slug": "mine"},
        {"name": "a\x00b"},
        {"contact_email": "nobody"},
    ):
        assert (await owner.patch("/tenant", json=wrong)).status_code == 422, wrong
    async with signed_in(system, tenant, Role.VIEWER) as viewer:
        assert (await viewer.get("/tenant")).json()["name"] == "Étoile"
        assert (await viewer.patch("/tenant", json={"name": "Mine"})).status_code == 403


async def test_a_key_is_shown_once_and_a_repeat_shows_no_other(
    system: System, owner: httpx.AsyncClient
) -> None:
    """Under its Idempotency-Key the same key is answered, with null in place of the secret."""
    headers = {"idempotency-key": "one key, please"}
    first = await owner.post("/api-keys", json={"label": "till"}, headers=headers)
    again = await owner.post("/api-keys", json={"label": "till"}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    made, repeated = first.json(), again.json()
    assert made["secret"].startswith(f"im_live_{made['public_id']}")
    assert repeated == {**made, "secret": None}
    assert again.headers["idempotent-replayed"] == "true"
    listed = (await owner.get("/api-keys")).json()["items"]
    assert [key["id"] for key in listed if key["label"] == "till"] == [made["id"]]
    assert all("secret" not in key for key in listed)
    assert (await owner.get(first.headers["location"])).json()["id"] == made["id"]
    await until(system, made["secret"], 404)


async def test_a_key_may_what_it_was_given_until_it_is_revoked(
    system: System, owner: httpx.AsyncClient
) -> None:
    """From the place that it may be used from, too."""
    body = {"scopes": ["usage:read"], "allowed_ips": ["127.0.0.0/8", "::1"], "mode": "test"}
    key = (await owner.post("/api-keys", json=body)).json()
    assert (key["scopes"], key["allowed_ips"]) == (["usage:read"], ["127.0.0.0/8", "::1/128"])
    await until(system, key["secret"], 403)
    assert await status_with(system, key["secret"], "/usage") == 200
    assert (
        await owner.patch(f"/api-keys/{key['id']}", json={"allowed_ips": ["192.0.2.1"]})
    ).status_code == 200
    async with asyncio.timeout(LIMIT_S):
        while await status_with(system, key["secret"], "/usage") == 200:
            await asyncio.sleep(0.02)
    assert (await owner.delete(f"/api-keys/{key['id']}")).status_code == 204
    await until(system, key["secret"], 401)
    shown = (await owner.get(f"/api-keys/{key['id']}")).json()
    assert shown["revoked_at"]
    active = (await owner.get("/api-keys", params={"active": True})).json()["items"]
    assert key["id"] not in [one["id"] for one in active]


async def test_a_rotated_key_works_beside_the_new_one(system: System, owner: httpx.AsyncClient) -> None:
    """And not at all once the overlap is over; it can be rotated once."""
    old = (await owner.post("/api-keys", json={})).json()
    new = (await owner.post(f"/api-keys/{old['id']}/rotate")).json()
    await until(system, new["secret"], 404)
    await until(system, old["secret"], 404)
    assert (await owner.get(f"/api-keys/{old['id']}")).json()["replaced_by"] == new["id"]
    again = await owner.post(f"/api-keys/{old['id']}/rotate")
    assert (again.status_code, again.json()["code"]) == (409, "api_key_replaced")
    last = (await owner.post(f"/api-keys/{new['id']}/rotate", json={"overlap_s": 0})).json()
    await until(system, new["secret"], 401)
    await until(system, last["secret"], 404)


async def test_nobody_issues_a_key_that_may_more_than_they_do(
    system: System, tenant: TenantId, owner: httpx.AsyncClient
) -> None:
    """Not by asking, and not by rotating somebody else's; a key itself issues none."""
    mighty = (await owner.post("/api-keys", json={"scopes": ["tenant:export"]})).json()
    async with signed_in(system, tenant, Role.ADMIN) as admin:
        asked = await admin.post("/api-keys", json={"scopes": ["tenant:export"]})
        rotated = await admin.post(f"/api-keys/{mighty['id']}/rotate")
    assert (asked.status_code, asked.json()["code"]) == (403, "scope_beyond_caller")
    assert (rotated.status_code, rotated.json()["code"]) == (403, "scope_beyond_caller")
    never = await owner.post("/api-keys", json={"scopes": ["api_keys:write"]})
    assert (never.status_code, never.json()["code"]) == (422, "scope_refused")
    async with system.tenant("machine") as machine:
        assert (await machine.client.post("/api/v1/api-keys", json={})).status_code == 403
        assert (await machine.client.get("/api/v1/api-keys")).status_code == 403


async def test_another_tenants_key_is_not_there(system: System, owner: httpx.AsyncClient) -> None:
    """To look at, to change, to rotate, to end."""
    key = (await owner.post("/api-keys", json={})).json()["id"]
    other, _, _ = await system.make_tenant("Other")
    async with signed_in(system, other, Role.OWNER) as stranger:
        for answer in (
            await stranger.get(f"/api-keys/{key}"),
            await stranger.patch(f"/api-keys/{key}", json={"label": "mine"}),
            await stranger.post(f"/api-keys/{key}/rotate"),
            await stranger.delete(f"/api-keys/{key}"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "api_key_not_found")
    assert (await owner.get(f"/api-keys/{key}")).json()["revoked_at"] is None


@pytest.mark.parametrize(
    "body",
    [
        {"allowed_ips": ["10.0.0.1/8"]},
        {"allowed_ips": ["10.0.0.0/8"] * 51},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"expires_at": "9999-12-31T23:59:59-14:00"},
        {"expires_at": "2030-01-01T00:00:00"},
        {"scopes": []},
        {"scopes": ["platform:tenants:write"]},
        {"label": "a\u0000b"},
        {"mode": "root"},
        {"secret": "mine"},
    ],
)
async def test_what_no_key_can_be_is_refused(owner: httpx.AsyncClient, body: dict[str, object]) -> None:
    """With a problem that names the field."""
    answer = await owner.post("/api-keys", json=body)
    assert answer.status_code == 422
    assert answer.json()["field"]


async def test_pages_of_keys_follow_one_another(owner: httpx.AsyncClient) -> None:
    """By the cursor of this listing and no other."""
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    made = [(await owner.post("/api-keys", json={"expires_at": soon})).json()["id"] for _ in range(3)]
    first = (await owner.get("/api-keys", params={"limit": 2})).json()
    rest = (await owner.get("/api-keys", params={"limit": 200, "cursor": first["next_cursor"]})).json()
    seen = [key["id"] for key in (*first["items"], *rest["items"])]
    assert seen[-3:] == made
    wrong = await owner.get("/api-keys", params={"cursor": "Zm9v"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_cursor")
