"""The third act: a tenant under its own brand, its owner, a garment on its own model, and its end."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import httpx
from pydantic import SecretStr

from deploy.local.demo.account import ENTERPRISE, Account, make_account, once_planned, set_plan
from deploy.local.demo.contact_sheet import Pair, add_to_contact_sheet
from deploy.local.demo.screen import Screen
from deploy.local.environment import Addresses
from deploy.operator.erasure import genuine
from deploy.operator.scan import Findings, Places, hits, scan
from libs.client import AsyncMannequin
from libs.client.errors import MannequinError
from libs.client.human_models.models import ConsentTerms
from libs.client.models import Image, RenderOptions
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.access import ROLES, Role
from libs.common.contracts.erasure import Erasure, GetErasure
from libs.common.contracts.ids import ErasureId
from libs.common.contracts.people import CreateInvite
from training.photos import sample_photo

NAME, SLUG = "Maison Safran", "maison-safran"
_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><circle cx="32" cy="32" r="30" '
    'fill="#8a3b12"/><path d="M20 44c0-14 6-22 12-26 6 4 12 12 12 26z" fill="#fff"/></svg>'
)
_LOOK = {
    "display_name": NAME,
    "colours": {"primary": "#8a3b12", "accent": "#1f5f5b", "background": "#fffaf3", "text": "#2b1d14"},
    "support_link": "https://maison-safran.example/help",
}
_PERSON, _GARMENT = 20, 9
_SIZE = (1333, 1000)
_ERASED_WITHIN_S = 120.0


@dataclass(frozen=True)
class Worn:
    """The garment's photo, the result, and what is thought of it."""

    garment: Path
    result: Path
    image: Image


class OwnBrand:
    """`run` gives everything that was not as it should be. places: where the scan at the end looks."""

    def __init__(self, addresses: Addresses, screen: Screen, places: Places, folder: Path) -> None:
        self._addresses = addresses
        self._screen = screen
        self._places = places
        self._folder = folder
        self._owner = ""
        self._faults: list[str] = []

    async def run(self, sheet: Path) -> Sequence[str]:
        slug = f"{SLUG}-{secrets.token_hex(3)}"
        self._owner = f"owner@{slug}.example"
        account = await make_account(self._addresses, NAME, slug)
        await set_plan(self._addresses, account.tenant, ENTERPRISE)
        async with httpx.AsyncClient(base_url=self._addresses.api_url, timeout=60) as browser:
            try:
                await self._sign_in(account, browser)
                await self._brand(browser, slug)
                await self._dress(account, sheet)
                await self._end(account, browser)
            except (MannequinError, httpx.HTTPError) as error:
                self._faults.append(str(error))
        return self._faults

    async def _sign_in(self, account: Account, browser: httpx.AsyncClient) -> None:
        """By the link of an invitation, then once more by password: what a person does."""
        link = await _invited(self._addresses, account, self._owner)
        password = secrets.token_urlsafe(16)
        browser.headers["origin"] = self._addresses.api_url
        token = link.get_secret_value().partition("#")[2]
        await _post(browser, "/auth/invites/accept", token=token, name="Leïla", password=password)
        await _post(browser, "/auth/logout")
        await _post(browser, "/auth/login", email=self._owner, password=password)
        me = (await browser.get("/api/v1/me")).raise_for_status().json()["user"]
        self._screen.signed_in(me["name"], me["role"])
        if me["role"] != Role.OWNER:
            self._faults.append(f"the owner came in as {me['role']}")

    async def _brand(self, browser: httpx.AsyncClient, slug: str) -> None:
        (await browser.put("/api/v1/tenant/branding", json=_LOOK)).raise_for_status()
        svg = {"content-type": "image/svg+xml"}
        (await browser.put("/api/v1/tenant/branding/logo", content=_LOGO, headers=svg)).raise_for_status()
        host = f"{slug}.localhost:{self._addresses.gateway_port}"
        name = ""
        async with asyncio.timeout(_ERASED_WITHIN_S):
            while name != NAME:
                shown = await browser.get("/api/v1/branding", headers={"host": host})
                name = shown.raise_for_status().json()["display_name"]
                await asyncio.sleep(0.05)
        self._screen.branded(NAME, f"http://{host}/docs")
        other = await browser.get("/api/v1/branding", headers={"host": f"nobody.localhost:{host}"})
        if NAME in other.text:
            self._faults.append("another host shows the brand as well")

    async def _dress(self, account: Account, sheet: Path) -> None:
        worn = await self._worn(account)
        image = worn.image
        self._screen.worn(image)
        if image.status != "completed":
            self._faults.append(f"the on-model image is {image.status}: {image.reason}")
            return
        pair = Pair(
            worn.garment.read_bytes,
            worn.result.read_bytes,
            "on a human model",
            image.verdict or "",
            ", ".join(image.reasons),
        )
        await asyncio.to_thread(add_to_contact_sheet, [pair], sheet)

    async def _worn(self, account: Account) -> Worn:
        """A garment that was shot on a mannequin, on a person of the tenant's own."""
        person = await asyncio.to_thread(_drawn, self._folder, _PERSON)
        garment = await asyncio.to_thread(_drawn, self._folder, _GARMENT)
        client = AsyncMannequin(account.key.get_secret_value(), self._addresses.api_url)
        async with client:
            model = await once_planned(lambda: client.human_models.add(person, _CONSENT, name="Noor"))
            model = await client.human_models.wait(model.id)
            result = self._folder / "on-model.png"
            options = RenderOptions(render="on_model", human_model=model.id)
            image = await client.images.render(garment, result, options=options, timeout_s=_ERASED_WITHIN_S)
        return Worn(garment, result, image)

    async def _end(self, account: Account, browser: httpx.AsyncClient) -> None:
        """The owner has everything erased; the certificate is genuine, and a scan finds nothing."""
        asked = (await _post(browser, "/tenant/erase", confirm=NAME)).json()
        erasure = await _erased(self._addresses, ErasureId(asked["id"]))
        found = await scan(self._places, [account.tenant, self._owner])
        self._screen.erased(erasure, found)
        if not genuine(erasure):
            self._faults.append("the certificate of the erasure is not genuine")
        if hits(found):
            self._faults.append(f"after the erasure something was found: {_told(found)}")


_CONSENT: ConsentTerms = {
    "subject_name": "Noor",
    "scope": "catalogue pictures in the shop and its advertising",
    "obtained_at": datetime(2026, 1, 15, tzinfo=UTC),
    "reference": "contract 2026-017",
}
"""Of a person who was drawn."""


def _drawn(folder: Path, number: int) -> Path:
    path = folder / f"scene-{number}.jpg"
    cv2.imwrite(str(path), cv2.cvtColor(sample_photo(number, _SIZE).rgb, cv2.COLOR_RGB2BGR))
    return path


async def _invited(addresses: Addresses, account: Account, email: str) -> SecretStr:
    """The link of the first owner's invitation, which no letter carries on one machine."""
    bus = connect(addresses.bus_url, flow.OPERATOR)
    await bus.start()
    try:
        query = CreateInvite(email=email, role=Role.OWNER, within=ROLES[Role.OWNER])
        made = await bus.request(query, tenant=account.tenant)
    finally:
        await bus.close()
    assert made.link is not None
    return made.link


async def _erased(addresses: Addresses, erasure_id: ErasureId) -> Erasure:
    bus = connect(addresses.bus_url, flow.OPERATOR)
    await bus.start()
    try:
        async with asyncio.timeout(_ERASED_WITHIN_S):
            while True:
                with suppress(MannequinError):
                    erasure = await bus.request(GetErasure(erasure_id=erasure_id))
                    if erasure.completed_at is not None:
                        return erasure
                await asyncio.sleep(0.2)
    finally:
        await bus.close()


async def _post(browser: httpx.AsyncClient, path: str, **body: str) -> httpx.Response:
    return (await browser.post(f"/api/v1{path}", json=body or None)).raise_for_status()


def _told(found: Findings) -> str:
    return ", ".join(f"{where} ({place})" for place, places in found.items() for where in places)
