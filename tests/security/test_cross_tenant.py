"""One tenant gets nothing of another's, through any endpoint that the OpenAPI document knows.

The requests are made from the document: a new endpoint is covered by itself, and one with an id of a kind
that nothing here makes fails until something does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from deploy.local.demo.account import make_enterprise_account
from services.gateway.auth.bearer import PUBLIC_PATHS
from services.gateway.openapi import operations
from tests.servers.keys import KEY, stored_key, when_planned
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.system import System
from tests.unit.gateway_app import api_document

ENDPOINTS = [(path, method.upper()) for path, method, _ in operations(api_document())]
WITH_IDS = [(path, method) for path, method in ENDPOINTS if "{" in path]
PRIVATE = [(path, method) for path, method in ENDPOINTS if path not in PUBLIC_PATHS]


BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("/api/v1/credentials/{credential_id}", "PATCH"): {"label": "taken over"},
    ("/api/v1/credentials/{credential_id}/secret", "PUT"): {"secret": {"bearer": "of-the-stranger"}},
}
"""What must be sent for a request to be looked at at all."""


@dataclass
class Shops:
    """Two tenants; `ids` are of things of the first, by the names that path parameters have."""

    url: str
    owner: httpx.Client
    stranger: httpx.Client
    ids: dict[str, str]


@pytest.fixture(scope="module")
def shops(system: System) -> Iterator[Shops]:
    addresses = system.supervisor.addresses
    keys = [
        asyncio.run(make_enterprise_account(addresses, name)).key.get_secret_value()
        for name in ("owner", "stranger")
    ]
    clients = [
        httpx.Client(base_url=system.api_url, headers={"authorization": f"Bearer {key}"}, timeout=60)
        for key in keys
    ]
    with clients[0] as owner, clients[1] as stranger:
        yield Shops(system.api_url, owner, stranger, _things_of(owner))


def _things_of(owner: httpx.Client) -> dict[str, str]:
    """One of everything that has an id, all of it used and done."""
    zip_type = {"content-type": "application/zip"}
    more: dict[str, str | bool] = {"artefacts": True, "renditions": '[{"name": "thumb", "size": 64}]'}
    batch = _json(
        owner.post("/api/v1/batch/process", content=zipped(numbered(jpegs(2))), headers=zip_type, params=more)
    )
    owner.get(f"/api/v1/batches/{batch['id']}/events").raise_for_status()  # ends with the batch
    images = _json(owner.get(f"/api/v1/batches/{batch['id']}/images"))["items"]
    endpoint = _json(owner.post("/api/v1/webhook-endpoints", json={"url": "http://127.0.0.1:9/"}))
    delivery = _json(owner.post(f"/api/v1/webhook-endpoints/{endpoint['id']}/test"))
    return {
        "credential_id": stored_key(owner)["id"],
        "batch_id": batch["id"],
        "image_id": images[0]["id"],
        "rendition": images[0]["renditions"][0]["name"],
        "artefact": images[0]["artefacts"][0]["name"],
        "endpoint_id": endpoint["id"],
        "delivery_id": delivery["id"],
    }


def _json(response: httpx.Response) -> Any:
    response.raise_for_status()
    return response.json()


@pytest.mark.parametrize(("path", "method"), WITH_IDS)
def test_a_stranger_finds_nothing(path: str, method: str, shops: Shops) -> None:
    """404, and the very answer that an id of nothing gets, so that it does not even tell what there is."""
    body = BODIES.get((path, method))
    nowhere = {name: _of_nothing(id_) for name, id_ in shops.ids.items()}
    found, nothing = [
        shops.stranger.request(method, path.format(**ids), json=body) for ids in (shops.ids, nowhere)
    ]
    assert found.status_code == 404, found.text
    assert _told(found) == _told(nothing)


@pytest.mark.parametrize(("path", "method"), [(path, method) for path, method in WITH_IDS if method == "GET"])
def test_the_owner_finds_it(path: str, method: str, shops: Shops) -> None:
    """Otherwise the test above would prove nothing; and the stranger's tries have changed nothing."""
    response = shops.owner.request(method, path.format(**shops.ids))
    assert response.status_code == 200, response.text


@pytest.mark.parametrize("listing", ["/api/v1/batches", "/api/v1/credentials", "/api/v1/webhook-endpoints"])
def test_listings_hold_one_tenants_things(listing: str, shops: Shops) -> None:
    """The owner's things are in the owner's lists alone."""
    assert _json(shops.owner.get(listing))["items"]
    assert not _json(shops.stranger.get(listing))["items"]


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
@pytest.mark.parametrize(("path", "method"), PRIVATE)
def test_nothing_is_done_without_a_key(
    path: str, method: str, credentials: dict[str, str], shops: Shops
) -> None:
    """401, before anything else in the request is looked at."""
    url = shops.url + path.format(**shops.ids)
    response = httpx.request(method, url, headers=credentials)
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


def _of_nothing(id_: str) -> str:
    """An id of the same kind that was given to nothing."""
    return id_[:4] + "0" * 26


def _told(response: httpx.Response) -> dict[str, Any]:
    problem: dict[str, Any] = response.json()
    return {name: value for name, value in problem.items() if name != "request_id"}
