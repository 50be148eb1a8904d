"""Brands over the public API: set by a tenant, seen by anybody at its hosts and nowhere else."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import Response
from PIL import Image
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from deploy.local.servers.nats import Nats
from libs.common.api_keys import generate
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.access import ROLES, ActorKind, Role
from libs.common.contracts.branding import Brand, BrandChanged, BrandsChanged
from libs.common.contracts.ids import ApiKeyId, TenantId
from libs.common.contracts.tenants import KeyMode, Plan, SetPlan
from libs.common.outbox import Relay
from services.gateway.app import create_app
from services.gateway.auth.caller import Caller
from services.gateway.auth.keyring import KnownKey
from services.gateway.branding.hosts import host_of
from services.gateway.branding.projection import BrandWatch, brands_handler, store_brand
from services.gateway.gateway import Gateway
from services.gateway.middleware.metrics import GatewayMetrics
from services.gateway.server import HttpServer
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import assemble
from services.tenants.branding.handlers import attach
from tests.integration.branding_desk import BASE_DOMAIN, Desk, branding_desk
from tests.servers.databases import TestDatabase

LIMIT_S = 20.0
OF_THE_ASKER = ("x-request-id", "ratelimit")
"""Headers that count requests, whatever they were for."""
OWN = "/api/v1/tenant/branding"
PUBLIC = "/api/v1/branding"
HOST = "photos.lumiere-shop.com"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z" onclick="x()"/></svg>'
LOOK = {
    "display_name": "Maison Lumière",
    "colours": {"primary": "#7C2D12", "background": "#fffbf5"},
    "support_link": "https://help.lumiere.example",
    "language": "ar",
}


@dataclass
class Front:
    """The gateway over real servers, beside the service that answers it."""

    desk: Desk
    gateway: Gateway
    app: FastAPI

    @asynccontextmanager
    async def caller(self, tenant: TenantId) -> AsyncIterator[httpx.AsyncClient]:
        """An owner's key of a tenant."""
        key = generate(KeyMode.LIVE)
        known = Caller(tenant, ApiKeyId.new(), ActorKind.API_KEY, ROLES[Role.OWNER])
        self.gateway.keys.put(KnownKey(key.public_id, key.sha256, known))
        async with self.visitor() as http:
            http.headers["authorization"] = f"Bearer {key.secret.get_secret_value()}"
            yield http

    def visitor(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app)
        return httpx.AsyncClient(transport=transport, base_url="http://api.test")

    async def at(self, host: str, path: str = PUBLIC, **headers: str) -> httpx.Response:
        async with self.visitor() as http:
            return await http.get(path, headers={"host": host, **headers})

    async def until(self, seen: Callable[[httpx.Response], bool], host: str = HOST) -> httpx.Response:
        """The public brand at a host, once it is as expected."""
        async with asyncio.timeout(LIMIT_S):
            while not seen(answer := await self.at(host)):
                await asyncio.sleep(0.02)
        return answer

    async def prove(self, http: httpx.AsyncClient, host: str = HOST) -> str:
        """Have a host verified; the domain's id."""
        added = (await http.post("/api/v1/tenant/domains", json={"host": host})).json()
        self.desk.zone.records[added["record"]["name"]] = [added["record"]["value"]]
        verified = await http.post(f"/api/v1/tenant/domains/{added['id']}/verify")
        assert verified.json()["status"] == "verified", verified.text
        return str(added["id"])


def named(name: str) -> Callable[[httpx.Response], bool]:
    return lambda answer: bool(answer.json()["display_name"] == name)


@pytest.fixture
async def front(database: TestDatabase, nats_server: Nats, tmp_path: Path) -> AsyncIterator[Front]:
    own = database.of("gateway")
    await own.start()
    tenants, bus = connect(nats_server.url, "tenants"), connect(nats_server.url, "gateway")
    async with branding_desk(database, tmp_path) as desk:
        await asyncio.gather(tenants.start(), bus.start())
        await attach(tenants, desk.brands, desk.domains)
        relay = asyncio.create_task(Relay(desk.database, tenants).run())
        settings = GatewaySettings(
            bus_url=SecretStr(nats_server.url),
            database_url=database.url("gateway"),
            platform_database_url=database.url("gateway_platform"),
            objects_url=SecretStr(tmp_path.as_uri()),
            base_domain=BASE_DOMAIN,
            public_url="https://api.client.example",
        )
        gateway = assemble(settings, own, bus, desk.objects, GatewayMetrics(CollectorRegistry()))
        watch = BrandWatch(own, gateway.brands)
        await bus.listen(BrandsChanged, watch.changed)
        await bus.subscribe(flow.BRANDS, brands_handler(own, bus))
        await watch.read()
        watching = asyncio.create_task(watch.run())
        try:
            yield Front(desk, gateway, create_app(gateway))
        finally:
            for task in (watching, relay):
                task.cancel()
            await asyncio.gather(watching, relay, return_exceptions=True)
            await asyncio.gather(bus.close(), tenants.close())
            await own.close()


async def test_a_brand_is_seen_at_a_proved_host_by_anybody(front: Front) -> None:
    """With its colours in lower case, its direction and addresses of its pictures."""
    tenant = await front.desk.tenant()
    async with front.caller(tenant) as http:
        set_ = await http.put(OWN, json=LOOK)
        assert set_.status_code == 200, set_.text
        assert (set_.json()["direction"], set_.json()["shown"]) == ("rtl", True)
        domain = await front.prove(http)
        shown = (await front.until(named("Maison Lumière"))).json()
        assert (shown["colours"]["primary"], shown["direction"]) == ("#7c2d12", "rtl")
        assert "sender_name" not in shown
        listed = (await http.get("/api/v1/tenant/domains")).json()["items"]
        assert [(one["id"], one["host"], one["status"]) for one in listed] == [(domain, HOST, "verified")]
        assert (await http.delete(f"/api/v1/tenant/domains/{domain}")).status_code == 204
        await front.until(named("Invisible Mannequin"))


async def test_unknown_hosts_are_answered_alike_to_the_byte(front: Front) -> None:
    """Whether a tenant has that name, has set a brand without the plan for it, or is nowhere at all."""
    hidden = await front.desk.tenant("Hidden", Plan())
    async with front.caller(hidden) as http:
        assert (await http.put(OWN, json=LOOK)).status_code == 402
    hosts = (
        "nobody.client.example",
        "hidden.client.example",
        "elsewhere.example",
        "api.client.example",
        "a@b",
    )
    for path in (PUBLIC, f"{PUBLIC}/logo", f"{PUBLIC}/favicon?size=180", "/docs"):
        answers = [await front.at(host, path) for host in hosts]
        told = {
            (
                answer.status_code,
                answer.content,
                tuple((name, value) for name, value in answer.headers.items() if name not in OF_THE_ASKER),
            )
            for answer in answers
        }
        assert len(told) == 1, path
        assert answers[0].headers["vary"] == "Host"


async def test_a_brand_that_was_seen_is_not_sent_again(front: Front) -> None:
    """An entity tag that changes with the brand; caches keep hosts apart."""
    first = await front.at(HOST)
    assert first.headers["cache-control"] == "public, max-age=60"
    again = await front.at(HOST, **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    tenant = await front.desk.tenant()
    async with front.caller(tenant) as http:
        await http.put(OWN, json=LOOK)
        await front.prove(http)
    await front.until(named("Maison Lumière"))
    changed = await front.at(HOST, **{"if-none-match": first.headers["etag"]})
    assert changed.status_code == 200


async def test_a_brand_is_gone_with_the_plan_and_back_with_it(front: Front) -> None:
    """Nothing that was set is lost meanwhile."""
    tenant = await front.desk.tenant()
    async with front.caller(tenant) as http:
        await http.put(OWN, json=LOOK)
        await front.prove(http, "plan.lumiere-shop.com")
        host = "plan.lumiere-shop.com"
        await front.until(named("Maison Lumière"), host)
        await front.desk.tenants.set_plan(SetPlan(plan=Plan()), tenant)
        await front.until(named("Invisible Mannequin"), host)
        kept = (await http.get(OWN)).json()
        assert (kept["shown"], kept["display_name"]) == (False, "Maison Lumière")
        await front.desk.tenants.set_plan(SetPlan(plan=Plan(white_label=True)), tenant)
        await front.until(named("Maison Lumière"), host)


async def test_a_tenant_is_at_its_slug_below_the_base_domain(front: Front) -> None:
    """Needing no proof."""
    tenant = await front.desk.tenant()
    async with front.desk.database.platform("give it a slug") as tx:
        await tx.execute("update tenants set slug = 'lumiere' where tenant_id = $1", tenant)
    async with front.caller(tenant) as http:
        assert (await http.put(OWN, json=LOOK)).json()["host"] == "lumiere.client.example"
    await front.until(named("Maison Lumière"), "lumiere.client.example")
    await front.until(named("Maison Lumière"), "LUMIERE.client.example.:443")
    assert named("Invisible Mannequin")(await front.at("lumiere.client.example.evil.example"))


async def test_logos_are_sent_so_that_they_can_do_nothing(front: Front) -> None:
    """By their own type, with a policy that lets an SVG style itself and no more."""
    tenant, host = await front.desk.tenant(), "logo.lumiere-shop.com"
    async with front.caller(tenant) as http:
        before = await front.at(host, f"{PUBLIC}/logo")
        assert before.headers["content-type"] == "image/svg+xml"
        sent = await http.put(f"{OWN}/logo", content=SVG, headers={"content-type": "image/svg+xml"})
        assert sent.status_code == 200, sent.text
        await front.prove(http, host)
        await front.until(named("Maison"), host)
        shown = await front.at(host, f"{PUBLIC}/logo")
        assert b"<path" in shown.content
        assert b"onclick" not in shown.content
        assert shown.headers["content-type"] == "image/svg+xml"
        assert shown.headers["content-security-policy"] == (
            "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        )
        assert shown.headers["x-content-type-options"] == "nosniff"
        same = await front.at(host, f"{PUBLIC}/logo", **{"if-none-match": shown.headers["etag"]})
        assert same.status_code == 304
        own = await http.get(f"{OWN}/logo")
        assert (own.content, own.headers["cache-control"]) == (shown.content, "private, no-cache")


async def test_a_raster_logo_gives_icons_of_two_sizes(front: Front) -> None:
    """PNGs, whatever came."""
    tenant, host = await front.desk.tenant(), "icons.lumiere-shop.com"
    photo = io.BytesIO()
    Image.new("RGB", (800, 400), "#7c2d12").save(photo, "WEBP")
    async with front.caller(tenant) as http:
        sent = await http.put(f"{OWN}/logo", content=photo.getvalue(), headers={"content-type": "image/webp"})
        assert sent.json()["favicon"]["media_type"] == "image/png"
        await front.prove(http, host)
        await front.until(named("Maison"), host)
        for size in (32, 180):
            icon = await front.at(host, f"{PUBLIC}/favicon?size={size}")
            assert Image.open(io.BytesIO(icon.content)).size == (size, size)
        assert (await http.delete(f"{OWN}/logo")).json()["logo"] is None


@pytest.mark.parametrize(
    ("content", "media_type", "status", "code"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", 422, "picture_refused"),
        (b"GIF89a", "image/gif", 415, "unsupported_media_type"),
        (b"GIF89a", "image/png", 422, "picture_refused"),
        (b"", "image/png", 422, "picture_refused"),
        (bytes(3 * 2**20), "image/png", 413, "body_too_large"),
    ],
)
async def test_what_is_no_logo_is_refused_in_words(
    front: Front, content: bytes, media_type: str, status: int, code: str
) -> None:
    """And nothing of it is kept."""
    tenant = await front.desk.tenant()
    async with front.caller(tenant) as http:
        answer = await http.put(f"{OWN}/logo", content=content, headers={"content-type": media_type})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["hint"]
    assert front.desk.stored(tenant) == []


@pytest.mark.parametrize(
    "change",
    [
        {"support_link": "javascript:alert(1)"},
        {"support_link": "https://user@help.example"},
        {"support_link": "http://help.example"},
        {"display_name": ""},
        {"display_name": "a\u0000b"},
        {"display_name": "a\u2028b"},
        {"language": "de"},
        {"colours": {"primary": "red"}},
        {"colours": {"primary": "#12345g"}},
        {"logo": "x"},
    ],
)
async def test_a_look_that_does_not_fit_is_refused_by_its_field(
    front: Front, change: dict[str, object]
) -> None:
    """422, before anything is asked of anybody."""
    async with front.caller(await front.desk.tenant()) as http:
        answer = await http.put(OWN, json={**LOOK, **change})
    assert answer.status_code == 422, answer.text
    assert answer.json()["field"].startswith(next(iter(change)))


async def test_colours_are_checked_beforehand_and_when_they_are_set(front: Front) -> None:
    """The same ratios, and an offer that passes."""
    async with front.caller(await front.desk.tenant()) as http:
        checked = (await http.get(f"{OWN}/contrast", params={"text": "#888888"})).json()["items"]
        assert (checked[0]["foreground"], checked[0]["passes"]) == ("#888888", False)
        refused = await http.put(OWN, json={**LOOK, "colours": {"text": "#888888"}})
        assert (refused.status_code, refused.json()["code"]) == (422, "contrast_too_low")
        assert checked[0]["nearest"] in refused.json()["detail"]
        taken = await http.put(OWN, json={**LOOK, "colours": {"text": checked[0]["nearest"]}})
        assert taken.status_code == 200


async def test_the_page_has_the_brand_of_its_host(front: Front) -> None:
    """And the platform's at every other."""
    tenant, host = await front.desk.tenant(), "docs.lumiere-shop.com"
    async with front.caller(tenant) as http:
        await http.put(OWN, json=LOOK)
        await front.prove(http, host)
    await front.until(named("Maison Lumière"), host)
    page = await front.at(host, "/docs")
    assert '<html lang="ar" dir="rtl">' in page.text
    assert "Maison Lumière" in page.text
    assert "img-src 'self'" in page.headers["content-security-policy"]
    assert "<title>Invisible Mannequin API" in (await front.at("other.example", "/docs")).text


@pytest.mark.parametrize(
    ("trusted", "expected"), [("192.0.2.1", "mine.example"), ("127.0.0.1", "theirs.example")]
)
async def test_the_server_believes_a_forwarded_host_of_its_proxies_alone(
    front: Front, trusted: str, expected: str
) -> None:
    """Also when the proxy names the client's address, which takes the place of its own."""
    seen: list[str | None] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(host_of(scope))
        await Response()(scope, receive, send)

    settings = front.gateway.settings.model_copy(update={"port": 0, "forwarded_allow_ips": trusted})
    server = HttpServer(app, settings, draining=lambda: None)
    serving = asyncio.create_task(server.run())
    await server.started()
    told = {"host": "mine.example", "x-forwarded-host": "theirs.example", "x-forwarded-for": "203.0.113.9"}
    async with httpx.AsyncClient() as http:
        await http.get(f"http://127.0.0.1:{server.port}/", headers=told)
    await server.drain(serving)
    assert seen == [expected]


async def test_a_brand_that_is_erased_is_forgotten_by_every_replica(front: Front) -> None:
    """Its row is gone, and no event says so."""
    tenant, host = await front.desk.tenant(), "gone.lumiere-shop.com"
    async with front.caller(tenant) as http:
        await http.put(OWN, json=LOOK)
        await front.prove(http, host)
    await front.until(named("Maison Lumière"), host)
    async with front.gateway.database.tenant(tenant) as tx:
        await tx.execute("delete from brands where tenant_id = $1", tenant)
    await front.until(named("Invisible Mannequin"), host)


async def test_events_may_come_in_any_order(front: Front) -> None:
    """An older brand or plan that comes late changes nothing."""
    tenant, host = await front.desk.tenant(), "order.lumiere-shop.com"
    events = [
        BrandChanged(brand=Brand(display_name=name), slug=None, hosts=(host,), revision=revision)
        for name, revision in (("New", 9), ("Old", 8))
    ]
    for event in events:
        async with front.gateway.database.tenant(tenant) as tx:
            await store_brand(event, tx)
    await front.until(named("New"), host)
