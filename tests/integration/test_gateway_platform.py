"""The Admin API of the platform, on the whole system."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest

from libs.common.contracts.access import Role, StaffRole
from libs.common.contracts.ids import TenantId
from tests.servers.system import System
from tests.servers.tokens import member, staff

LIMIT_S = 20.0


@asynccontextmanager
async def as_staff(system: System, role: StaffRole) -> AsyncIterator[httpx.AsyncClient]:
    """One of the platform's people."""
    badge = staff(system.supervisor.addresses, role)
    headers = await asyncio.to_thread(lambda: badge.headers)
    base = f"{system.api_url}/api/v1/platform"
    async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture
async def admin(system: System) -> AsyncIterator[httpx.AsyncClient]:
    async with as_staff(system, StaffRole.ADMIN) as client:
        yield client


def word() -> str:
    """Nobody has that name."""
    return f"t{uuid4().hex[:12]}"


async def made(admin: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await admin.post("/tenants", json={"name": word()} | body)
    assert answer.status_code == 201, answer.text
    tenant: dict[str, Any] = answer.json()
    return tenant


def lines(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.headers["content-type"].startswith("text/csv"), answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_a_tenant_is_made_on_a_plan_once_however_often_it_is_sent(admin: httpx.AsyncClient) -> None:
    """It has what the plan holds, and says who made it."""
    slug, headers = word(), {"idempotency-key": word()}
    body = {"name": "Maison", "slug": slug, "plan_code": "enterprise", "contact_email": "it@maison.example"}
    first = await admin.post("/tenants", json=body, headers=headers)
    again = await admin.post("/tenants", json=body, headers=headers)
    assert first.json() == again.json()
    tenant = first.json()
    assert (tenant["slug"], tenant["plan_code"], tenant["plan"]["byok"]) == (slug, "enterprise", True)
    assert tenant["created_by"].startswith("stf_")
    assert (await admin.get(first.headers["location"])).json() == tenant
    taken = await admin.post("/tenants", json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "slug_taken")
    unknown = await admin.post("/tenants", json={"name": "Maison", "plan_code": "brass"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "plan_not_found")


async def test_tenants_are_found_page_by_page_and_as_csv(admin: httpx.AsyncClient) -> None:
    """Filters hold on every page; a CSV names its next page in a Link, and computes nothing."""
    prefix = word()
    names = [f"{prefix} {number}" for number in range(3)]
    ids = [(await made(admin, name=name, plan_code="saas"))["id"] for name in names]
    evil = await made(admin, name=f"=HYPERLINK({word()!r})")
    first = (await admin.get("/tenants", params={"name": prefix.upper(), "limit": 2})).json()
    rest = (
        await admin.get("/tenants", params={"name": prefix, "limit": 2, "cursor": first["next_cursor"]})
    ).json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == ids
    assert rest["next_cursor"] is None
    sheet = await admin.get("/tenants", params={"name": prefix, "limit": 2}, headers={"accept": "text/csv"})
    assert [row["id"] for row in lines(sheet)] == ids[:2]
    link = sheet.headers["link"]
    following = await admin.get("/tenants" + link[link.index("<") + 1 : link.index(">")], params=None)
    assert [one["id"] for one in following.json()["items"]] == ids[2:]
    [shown] = [
        row
        for row in lines(
            await admin.get("/tenants", params={"name": "=HYPER", "format": "csv", "limit": 200})
        )
        if row["id"] == evil["id"]
    ]
    assert shown["name"] == f"'{evil['name']}"


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "asleep"},
        {"created_from": "yesterday"},
        {"created_from": "0001-01-01T00:00:00+14:00"},
        {"name": "a\u0000b"},
        {"cursor": "Zm9v"},
        {"plan": "A PLAN"},
        {"limit": 0},
    ],
)
async def test_filters_that_say_nothing_are_refused(admin: httpx.AsyncClient, wrong: dict[str, Any]) -> None:
    """With a problem, not with everything."""
    assert (await admin.get("/tenants", params=wrong)).status_code == 422


async def test_a_suspended_tenant_looks_but_does_nothing_until_it_is_resumed(
    system: System, admin: httpx.AsyncClient
) -> None:
    """Within a moment, at its own API; it is told why."""
    tenant, _, _ = await system.make_tenant("Late payer")
    badge = member(system.supervisor.addresses, tenant, Role.OWNER)
    headers = await asyncio.to_thread(lambda: badge.headers)
    async with httpx.AsyncClient(base_url=f"{system.api_url}/api/v1", headers=headers) as owner:

        async def renamed() -> int:
            return (await owner.patch("/tenant", json={"name": word()})).status_code

        async def until(status: int) -> None:
            async with asyncio.timeout(LIMIT_S):
                while await renamed() != status:
                    await asyncio.sleep(0.02)

        await until(200)
        answer = await admin.post(f"/tenants/{tenant}/suspend", json={"reason": "unpaid since May"})
        assert answer.json()["status"] == "suspended"
        await until(403)
        shown = (await owner.get("/tenant")).json()
        assert (shown["status"], shown["status_reason"]) == ("suspended", "unpaid since May")
        assert (await admin.post(f"/tenants/{tenant}/resume")).json()["status"] == "active"
        await until(200)
    assert (await admin.post(f"/tenants/{tenant}/suspend", json={"reason": ""})).status_code == 422


async def test_what_is_done_to_a_tenant_is_in_its_own_log(system: System, admin: httpx.AsyncClient) -> None:
    """By whom of the platform, and why."""
    tenant = await made(admin)
    await admin.post(f"/tenants/{tenant['id']}/suspend", json={"reason": "asked for it"})
    badge = member(system.supervisor.addresses, TenantId(tenant["id"]), Role.OWNER)
    headers = await asyncio.to_thread(lambda: badge.headers)
    async with httpx.AsyncClient(base_url=f"{system.api_url}/api/v1", headers=headers) as owner:
        async with asyncio.timeout(LIMIT_S):
            while True:
                log = (await owner.get("/audit-log", params={"action": "tenant"})).json()["items"]
                if len(log) == 2:
                    break
                await asyncio.sleep(0.02)
    suspended, created = log
    assert (created["action"], suspended["action"]) == ("tenant.created", "tenant.suspended")
    assert suspended["actor"]["id"] == created["actor"]["id"] == tenant["created_by"]
    assert suspended["detail"]["reason"] == "asked for it"


async def test_a_plan_is_defined_used_changed_and_retired(admin: httpx.AsyncClient) -> None:
    """Its tenants get what changes within seconds, but for terms of their own."""
    code = word()
    terms = {"name": "Gold", "byok": True, "quotas": {"images_month": 100}, "prices": {"monthly": "19.90"}}
    defined = await admin.put(f"/plans/{code}", json={"description": "For some.", "plan": terms})
    assert (defined.json()["revision"], defined.json()["tenants"]) == (1, 0)
    plain, special = await made(admin, plan_code=code), await made(admin)
    own = {"quotas": {"images_month": None}, "sso": True}
    put = await admin.put(f"/tenants/{special['id']}/plan", json={"code": code, "overrides": own})
    assert (put.json()["overrides"], put.json()["plan"]["prices"]["monthly"]) == (own, "19.90")
    more = terms | {"quotas": {"images_month": 200}, "white_label": True}
    assert (await admin.put(f"/plans/{code}", json={"plan": more})).json()["tenants"] == 2

    async def plan_of(tenant: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = (await admin.get(f"/tenants/{tenant['id']}")).json()["plan"]
        return found

    async with asyncio.timeout(LIMIT_S):
        while (await admin.get(f"/plans/{code}")).json()["pending"]:
            await asyncio.sleep(0.02)
    assert (await plan_of(plain))["quotas"]["images_month"] == 200
    assert (await plan_of(special))["quotas"]["images_month"] is None
    assert (await plan_of(special))["white_label"]
    assert (await admin.delete(f"/plans/{code}")).json()["retired_at"]
    late = await admin.post("/tenants", json={"name": "Late", "plan_code": code})
    assert (late.status_code, late.json()["code"]) == (409, "plan_retired")
    assert code in [plan["code"] for plan in (await admin.get("/plans")).json()["items"]]
    assert code not in [row["code"] for row in lines(await admin.get("/plans?retired=false&format=csv"))]


@pytest.mark.parametrize(
    "plan",
    [
        {"prices": {"monthly": "-1"}},
        {"prices": {"monthly": "1e999999"}},
        {"prices": {"monthly": "NaN"}},
        {"quotas": {"images_month": -1}},
        {"quotas": {"images_month": 10**30}},
        {"weight": 101},
        {"name": "a\u0000b"},
        {"free_beer": True},
    ],
)
async def test_plans_that_make_no_sense_are_refused(admin: httpx.AsyncClient, plan: dict[str, Any]) -> None:
    """And so are such terms of one tenant."""
    assert (await admin.put(f"/plans/{word()}", json={"plan": plan})).status_code == 422
    tenant = await made(admin)
    put = await admin.put(f"/tenants/{tenant['id']}/plan", json={"code": "saas", "overrides": plan})
    assert put.status_code == 422


async def test_usage_margins_and_health_are_shown_over_tenants(
    system: System, admin: httpx.AsyncClient
) -> None:
    """Of one tenant and of all, as JSON and as CSV; days that make no sense are refused."""
    tenant, _, _ = await system.make_tenant("Shop")
    async with asyncio.timeout(LIMIT_S):
        while not (found := (await admin.get("/usage", params={"tenant": tenant})).json()["items"]):
            await asyncio.sleep(0.02)
    assert [row["tenant_id"] for row in found] == [tenant]
    assert [row["tenant_id"] for row in lines(await admin.get(f"/usage?tenant={tenant}&format=csv"))] == [
        tenant
    ]
    assert (await admin.get("/margins")).json()["tenants"] >= 1
    for path in (f"/tenants/{tenant}/usage", f"/tenants/{tenant}/savings"):
        assert (await admin.get(path)).json()["currency"] == "USD"
    for path in ("/usage", "/margins", f"/tenants/{tenant}/usage"):
        wrong = await admin.get(path, params={"from": "2026-03-02", "to": "2026-03-01"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_period")
    for path in ("/credential-health", "/webhook-health"):
        assert (await admin.get(path, params={"tenant": tenant})).json() == {"items": [], "next_cursor": None}
        assert lines(await admin.get(path, params={"tenant": tenant, "format": "csv"})) == []


async def test_a_tenants_endpoint_is_seen_by_its_host_alone(system: System, admin: httpx.AsyncClient) -> None:
    """Its path may be a secret between the tenant and its server."""
    async with system.tenant("Shop") as shop:
        url = "https://hooks.example.com/planted-path?token=planted"
        created = await shop.client.post("/api/v1/webhook-endpoints", json={"url": url})
        if created.status_code != 201:
            pytest.skip("no name resolution here")
        page = await admin.get("/webhook-health", params={"tenant": shop.id})
        assert [one["host"] for one in page.json()["items"]] == ["hooks.example.com"]
        assert "planted" not in page.text


@pytest.mark.parametrize("role", [StaffRole.SUPPORT, StaffRole.FINANCE])
async def test_who_only_helps_or_counts_changes_nothing(system: System, role: StaffRole) -> None:
    """They see tenants, plans and usage; keys and endpoints only who helps."""
    tenant, _, _ = await system.make_tenant("Shop")
    async with as_staff(system, role) as client:
        for path in ("/tenants", f"/tenants/{tenant}", "/plans", "/usage", "/margins"):
            assert (await client.get(path)).status_code == 200, path
        health = 200 if role is StaffRole.SUPPORT else 403
        assert (await client.get("/credential-health")).status_code == health
        for answer in (
            await client.post("/tenants", json={"name": "Mine"}),
            await client.patch(f"/tenants/{tenant}", json={"name": "Mine"}),
            await client.post(f"/tenants/{tenant}/suspend", json={"reason": "x"}),
            await client.post(f"/tenants/{tenant}/resume"),
            await client.put(f"/tenants/{tenant}/plan", json={"code": "saas"}),
            await client.put("/plans/mine", json={"plan": {}}),
            await client.delete("/plans/saas"),
        ):
            assert answer.status_code == 403, answer.url


async def test_no_credential_of_a_tenant_opens_the_admin_api(system: System) -> None:
    """Neither a key nor an owner's token: to them it is not there."""
    async with system.tenant("Shop") as shop:
        badge = member(system.supervisor.addresses, shop.id, Role.OWNER)
        owner = await asyncio.to_thread(lambda: badge.headers)
        for headers in (None, owner):
            for path in ("/tenants", "/plans", "/usage", "/margins", "/credential-health", "/webhook-health"):
                answer = await shop.client.get(f"/api/v1/platform{path}", headers=headers)
                assert answer.status_code == 401, path


async def test_a_tenant_that_is_not_there_is_not_found(admin: httpx.AsyncClient) -> None:
    """Whatever is to be done with it."""
    nobody = f"/tenants/{TenantId.new()}"
    for answer in (
        await admin.get(nobody),
        await admin.patch(nobody, json={"name": "x"}),
        await admin.post(f"{nobody}/suspend", json={"reason": "x"}),
        await admin.put(f"{nobody}/plan", json={"code": "saas"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "tenant_not_found")
