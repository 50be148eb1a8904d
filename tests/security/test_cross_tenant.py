"""One tenant gets nothing of another's, through any endpoint that the OpenAPI document knows.

The requests are made from the document: a new endpoint is covered by itself, and one with an id of a kind
that nothing in `things.py` makes fails until something does. Who asks with which role is gone through in
`test_role_matrix.py`; here both are owners.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.local.demo.account import make_enterprise_account
from libs.common.contracts.access import Permission, Role
from tests.security.things import things_of
from tests.servers.keys import KEY, when_planned
from tests.servers.operations import Operation, all_operations
from tests.servers.system import System
from tests.servers.tokens import member

OPERATIONS = [one for one in all_operations() if isinstance(one.permission, Permission)]
OF_ONE_THING = [one for one in OPERATIONS if one.of_one_thing and one.method == "GET"]
LISTINGS = [
    "/api/v1/batches",
    "/api/v1/credentials",
    "/api/v1/webhook-endpoints",
    "/api/v1/human-models",
    "/api/v1/custom-models",
    "/api/v1/api-keys",
    "/api/v1/members",
    "/api/v1/invites",
    "/api/v1/tenant/domains",
    "/api/v1/audit-log",
]


@dataclass
class Shops:
    """Two tenants; `ids` are of things of the first, by the names that path parameters have."""

    url: str
    owner: httpx.Client
    stranger: httpx.Client
    ids: dict[str, str]


@pytest.fixture(scope="module")
def shops(system: System) -> Iterator[Shops]:
    addresses, things = system.supervisor.addresses, things_of(system)
    account = asyncio.run(make_enterprise_account(addresses, "stranger"))
    stranger = member(addresses, account.tenant, Role.OWNER)
    clients = [
        httpx.Client(base_url=system.api_url, headers=badge.headers, timeout=60)
        for badge in (things.owner, stranger)
    ]
    with clients[0] as own, clients[1] as other:
        yield Shops(system.api_url, own, other, things.ids)


def _json(response: httpx.Response) -> Any:
    response.raise_for_status()
    return response.json()


@pytest.mark.parametrize("operation", OF_ONE_THING, ids=lambda one: one.name)
def test_the_owner_finds_it(operation: Operation, shops: Shops) -> None:
    """Otherwise that strangers do not would prove nothing; and their tries have changed nothing."""
    response = shops.owner.request(operation.method, operation.path.format(**shops.ids))
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("listing", LISTINGS)
def test_listings_hold_one_tenants_things(listing: str, shops: Shops) -> None:
    """The owner's things are in the owner's lists alone."""
    owned = {_id(item) for item in _json(shops.owner.get(listing))["items"]}
    assert owned
    assert not owned & {_id(item) for item in _json(shops.stranger.get(listing))["items"]}


def test_the_owner_still_has_everything(shops: Shops) -> None:
    """No stranger's DELETE or POST did anything."""
    endpoint = _json(shops.owner.get(f"/api/v1/webhook-endpoints/{shops.ids['endpoint_id']}"))
    batch = _json(shops.owner.get(f"/api/v1/batches/{shops.ids['batch_id']}"))
    credential = _json(shops.owner.get(f"/api/v1/credentials/{shops.ids['credential_id']}"))
    assert endpoint["disabled_reason"] is None
    assert (credential["label"], credential["enabled"], credential["version"]) == (KEY["label"], True, 1)
    assert (batch["status"], batch["round"]) == ("completed", 1)


@pytest.mark.parametrize(
    "credentials", [{}, {"authorization": "Bearer nonsense"}, {"x-api-key": "im_live_x"}]
)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name)
def test_nothing_is_done_without_a_credential(
    operation: Operation, credentials: dict[str, str], shops: Shops
) -> None:
    """401, before anything else in the request is looked at."""
    url = shops.url + operation.path.format(**shops.ids)
    response = httpx.request(operation.method, url, headers=credentials)
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_policy_and_charges_are_each_tenants_own(shops: Shops) -> None:
    """What the owner sets and what its batch came to is nothing to the stranger."""
    policy = {"policy": "byok_then_platform", "fallback_monthly_cap": "7"}
    when_planned(lambda: shops.owner.put("/api/v1/routing-policy", json=policy))
    try:
        assert _json(shops.stranger.get("/api/v1/routing-policy"))["policy"] == "platform"
    finally:
        _json(shops.owner.put("/api/v1/routing-policy", json={"policy": "platform"}))
    assert _json(shops.owner.get("/api/v1/usage"))["total"]["images"] == 2
    assert _json(shops.stranger.get("/api/v1/usage"))["total"]["images"] == 0
    assert _json(shops.stranger.get("/api/v1/usage/savings"))["total"]["images"] == 0


def test_an_idempotency_key_is_each_tenants_own(shops: Shops) -> None:
    """The same key and request of another tenant is another request."""
    body, headers = {"url": "http://127.0.0.1:9/same"}, {"idempotency-key": "the same"}
    answers = [
        client.post("/api/v1/webhook-endpoints", json=body, headers=headers)
        for client in (shops.owner, shops.stranger)
    ]
    first, second = map(_json, answers)
    assert first["id"] != second["id"]
    shops.stranger.delete(f"/api/v1/webhook-endpoints/{second['id']}").raise_for_status()


def _id(item: dict[str, Any]) -> str:
    return str(item.get("id") or item["host"])
