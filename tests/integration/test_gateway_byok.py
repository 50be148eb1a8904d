"""Keys over the public API, on a real vault, database and broker."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.api_keys import GeneratedKey, generate
from libs.common.contracts.access import DEFAULT_KEY_PERMISSIONS, ActorKind
from libs.common.contracts.credentials import IntakeKey
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import KeyMode
from libs.common.db import Database
from libs.common.objects import Objects
from services.gateway.app import create_app
from services.gateway.auth.caller import Caller
from services.gateway.auth.keyring import KnownKey
from services.gateway.gateway import Gateway
from services.gateway.middleware.metrics import GatewayMetrics
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import assemble
from tests.integration.keyvault_desk import REVOKED, SETTINGS, Desk, at_desk
from tests.servers.databases import TestDatabase
from tests.servers.planted import MARK, planted

CREDENTIALS = "/api/v1/credentials"


@dataclass
class Shop:
    """A tenant with keys of its own in its plan, at the public API."""

    desk: Desk
    gateway: Gateway
    http: httpx.AsyncClient
    database: Database

    async def make(self, secret: str | None = None, **more: Any) -> httpx.Response:
        body = {
            "provider": "open-inference",
            "label": "our GPUs",
            "settings": SETTINGS,
            "secret": {"bearer": secret or planted()},
        }
        headers = more.pop("headers", None)
        return await self.http.post(CREDENTIALS, json=body | more, headers=headers)

    async def made(self, **more: Any) -> dict[str, Any]:
        response = await self.make(**more)
        assert response.status_code == 201, response.text
        shown: dict[str, Any] = response.json()
        return shown

    async def records(self) -> str:
        """Everything that the gateway keeps of requests."""
        async with self.database.platform("look") as tx:
            return str([dict(row) for row in await tx.fetch("select * from idempotency")])

    async def forget_answers(self) -> None:
        """As if the process had died before it kept them."""
        async with self.database.platform("forget") as tx:
            await tx.execute("delete from idempotency")


@asynccontextmanager
async def at_shop(desk: Desk, database: TestDatabase, nats: Nats, folder: Path) -> AsyncIterator[Shop]:
    own = database.of("gateway")
    await own.start()
    settings = GatewaySettings(
        bus_url=nats.url,
        database_url=SecretStr("postgresql://unused"),
        platform_database_url=SecretStr("postgresql://unused"),
        objects_url=SecretStr(folder.as_uri()),
    )
    objects, metrics = Objects(folder.as_uri()), GatewayMetrics(CollectorRegistry())
    gateway = assemble(settings, own, desk.gateway, objects, metrics)
    async with caller(gateway, desk.tenant) as http:
        yield Shop(desk, gateway, http, own)
    await own.close()


@asynccontextmanager
async def caller(gateway: Gateway, tenant: TenantId) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody with a new API key of a tenant."""
    key: GeneratedKey = generate(KeyMode.LIVE)
    known = Caller(tenant, ApiKeyId.new(), ActorKind.API_KEY, DEFAULT_KEY_PERMISSIONS)
    gateway.keys.put(KnownKey(key.public_id, key.sha256, known, revoked=False))
    headers = {"authorization": f"Bearer {key.secret.get_secret_value()}"}
    transport = httpx.ASGITransport(create_app(gateway))
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers) as http:
        yield http


@pytest.fixture
async def shop(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao, tmp_path: Path
) -> AsyncIterator[Shop]:
    async with (
        at_desk(database, nats_server, vault_server) as desk,
        at_shop(desk, database, nats_server, tmp_path) as s,
    ):
        yield s


async def test_a_key_is_checked_before_the_answer_and_shown_without_its_secret(shop: Shop) -> None:
    """201 with where it is; lists and looks say the same, and nobody gets the secret again."""
    secret = planted()
    response = await shop.make(secret, priority=5, monthly_cap="12.50")
    shown = response.json()
    assert response.status_code == 201, response.text
    assert response.headers["location"].endswith(f"{CREDENTIALS}/{shown['id']}")
    assert (shown["health"]["state"], shown["last_four"], shown["version"]) == ("healthy", secret[-4:], 1)
    assert (shown["priority"], float(shown["monthly_cap"])) == (5, 12.5)
    looked = await shop.http.get(f"{CREDENTIALS}/{shown['id']}")
    listed = await shop.http.get(CREDENTIALS)
    assert looked.json() == shown
    assert listed.json()["items"] == [shown]
    assert MARK not in response.text + looked.text + listed.text


async def test_a_key_that_does_not_work_is_kept_with_the_reason_and_what_to_do(shop: Shop) -> None:
    """The tenant sees it at once; a later check finds it mended."""
    shop.desk.prober.finds = lambda probe: REVOKED
    shown = await shop.made()
    assert (shown["health"]["state"], shown["health"]["code"]) == ("failed", "revoked")
    assert shown["health"]["advice"]
    shop.desk.prober.finds = lambda probe: None
    checked = await shop.http.post(f"{CREDENTIALS}/{shown['id']}/verify")
    assert checked.json()["health"]["state"] in ("recovered", "healthy")


async def test_a_provider_that_does_not_answer_leaves_the_key_unverified(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao, tmp_path: Path
) -> None:
    """With the reason, and without the caller waiting for ever."""
    async with at_desk(database, nats_server, vault_server, check_s=0.3) as desk:
        desk.prober.finds = None
        async with at_shop(desk, database, nats_server, tmp_path) as shop:
            shown = await shop.made()
    assert shown["health"]["state"] == "unverified"
    assert "0.3 s" in shown["health"]["detail"]


async def test_a_request_that_comes_twice_makes_one_key_and_keeps_no_secret(shop: Shop) -> None:
    """Neither in the stored answer nor in what the request is recognised by."""
    secret, key = planted(), {"idempotency-key": "once"}
    first, second = [await shop.make(secret, headers=key) for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    other = await shop.make(planted(), headers=key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len((await shop.http.get(CREDENTIALS)).json()["items"]) == 1
    records = await shop.records()
    assert first.json()["id"] in records
    assert MARK not in records


async def test_a_repeat_after_a_lost_answer_makes_no_second_key(shop: Shop) -> None:
    """Its id comes from the request, so that the vault finds what the first one made."""
    secret, key = planted(), {"idempotency-key": "lost"}
    first = await shop.made(secret=secret, headers=key)
    await shop.forget_answers()
    assert (await shop.made(secret=secret, headers=key))["id"] == first["id"]


async def test_terms_are_changed_one_by_one_and_a_key_is_switched_off_and_on(shop: Shop) -> None:
    """What is not named stays; switching twice is fine."""
    path = f"{CREDENTIALS}/{(await shop.made(monthly_cap='5', priority=2))['id']}"
    changed = (await shop.http.patch(path, json={"label": "renamed", "monthly_cap": None})).json()
    assert (changed["label"], changed["priority"], changed["monthly_cap"]) == ("renamed", 2, None)
    for way, enabled in (("disable", False), ("disable", False), ("enable", True)):
        shown = (await shop.http.post(f"{path}/{way}")).json()
        assert (shown["enabled"], shown["label"]) == (enabled, "renamed")


async def test_a_secret_is_replaced_once_it_works_and_can_be_brought_back(shop: Shop) -> None:
    """One that does not work changes nothing; after the way back there is nothing more to bring back."""
    first = await shop.made()
    path = f"{CREDENTIALS}/{first['id']}"
    shop.desk.prober.finds = lambda probe: REVOKED
    refused = await shop.http.put(f"{path}/secret", json={"secret": {"bearer": planted()}})
    assert (refused.status_code, refused.json()["code"]) == (409, "replacement_not_verified")
    assert (await shop.http.get(path)).json()["fingerprint"] == first["fingerprint"]
    shop.desk.prober.finds = lambda probe: None
    second = (await shop.http.put(f"{path}/secret", json={"secret": {"bearer": planted()}})).json()
    assert second["fingerprint"] != first["fingerprint"]
    assert second["previous_until"]
    back = (await shop.http.post(f"{path}/rollback")).json()
    assert back["fingerprint"] == first["fingerprint"]


async def test_a_replacement_that_comes_twice_keeps_what_can_be_brought_back(shop: Shop) -> None:
    """Otherwise the repeat would push the old secret out."""
    first = await shop.made()
    path, body = f"{CREDENTIALS}/{first['id']}", {"secret": {"bearer": planted()}}
    for _ in range(2):
        shown = await shop.http.put(f"{path}/secret", json=body, headers={"idempotency-key": "replace"})
    assert shown.headers["idempotent-replayed"] == "true"
    assert (await shop.http.post(f"{path}/rollback")).json()["fingerprint"] == first["fingerprint"]
    assert MARK not in await shop.records()


async def test_there_is_nothing_to_bring_back_where_nothing_was_replaced(shop: Shop) -> None:
    """By its code."""
    refused = await shop.http.post(f"{CREDENTIALS}/{(await shop.made())['id']}/rollback")
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing_to_roll_back_to")


async def test_a_deleted_key_is_gone(shop: Shop) -> None:
    """From the list, and for every way to it."""
    path = f"{CREDENTIALS}/{(await shop.made())['id']}"
    assert (await shop.http.delete(path)).status_code == 204
    assert (await shop.http.get(CREDENTIALS)).json()["items"] == []
    answers = [
        await shop.http.get(path),
        await shop.http.delete(path),
        await shop.http.post(f"{path}/verify"),
        await shop.http.post(f"{path}/enable"),
        await shop.http.patch(path, json={"label": "x"}),
        await shop.http.put(f"{path}/secret", json={"secret": {"bearer": planted()}}),
    ]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(404, "credential_not_found")}


@pytest.mark.parametrize("version", [1, 99])
async def test_a_public_key_that_was_kept_too_long_is_fetched_again(shop: Shop, version: int) -> None:
    """Whether the vault no longer has that version or never had that key: the tenant notices nothing."""
    old = rsa.generate_private_key(65537, 2048).public_key()
    pem = old.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    sealer = shop.gateway.sealer
    sealer._key, sealer._fetched_at = IntakeKey(version=version, public_key=pem.decode()), time.monotonic()
    assert (await shop.made())["health"]["state"] == "healthy"


async def test_a_plan_without_keys_of_ones_own_takes_none(shop: Shop) -> None:
    """And says which plan to ask for, by a code."""
    async with caller(shop.gateway, TenantId.new()) as other:
        body = {
            "provider": "open-inference",
            "label": "x",
            "settings": SETTINGS,
            "secret": {"bearer": planted()},
        }
        refused = await other.post(CREDENTIALS, json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "byok_not_in_plan")
