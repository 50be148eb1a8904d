"""Photoroom as its OpenAPI document describes it: GET /v2/account and POST /v2/edit.

Source: https://docs.photoroom.com/getting-started/api-reference-openapi, read 2026-11-24. What is sent is
checked to the letter; a form that Photoroom would not take is answered as it would, and kept in `problems`.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from deploy.local.ports import HOST
from tests.servers.rogue import Answer

_SIZES = frozenset(
    {
        "PORTRAIT_HD_16_9",
        "PORTRAIT_HD_4_3",
        "PORTRAIT_HD_3_2",
        "SQUARE_HD",
        "LANDSCAPE_HD_3_2",
        "LANDSCAPE_HD_4_3",
        "LANDSCAPE_HD_16_9",
    }
)
_CHOICES = {
    "ghostMannequin.mode": frozenset({"ai.auto"}),
    "ghostMannequin.size": _SIZES,
    "removeBackground": frozenset({"true"}),
    "referenceBox": frozenset({"subjectBox", "originalImage"}),
    "outputSize": frozenset({"auto", "originalImage", "croppedSubject"}),
    "export.format": frozenset({"png", "jpeg", "jpg", "webp"}),
}
_LARGEST = 30 * 1000 * 1000


class PhotoroomContract:
    """`answer`: in place of its own; `picture`: what an edit gives. `sizes`: those that were asked for."""

    def __init__(self) -> None:
        self.port = 0
        self.answer: Answer | None = None
        self.picture = b"\x89PNG drawn"
        self.available = 83.0
        self.problems: list[str] = []
        self.sizes: list[str] = []
        self._keys: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def key(self) -> str:
        """A new API key."""
        key = f"sk_pr_mannequin_{secrets.token_hex(20)}"
        self._keys.add(key)
        return key

    def forget(self, key: str) -> None:
        self._keys.discard(key)

    async def account(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused is not None:
            return refused
        images = {"available": self.available, "subscription": 100}
        return web.json_response({"images": images, "plan": "plus"})

    async def edit(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        if refused is not None:
            await request.read()
            return refused
        if request.content_type != "multipart/form-data":
            return self._problem(f"the media type {request.content_type}")
        form = await request.post()
        for name, value in form.items():
            if name != "imageFile" and value not in _CHOICES.get(name, ()):
                return self._problem(f"{name}: {value!r}")
        photo = form.get("imageFile")
        if not isinstance(photo, web.FileField) or photo.content_type not in ("image/jpeg", "image/png"):
            return self._problem("imageFile is no picture")
        if not 0 < len(photo.file.read()) <= _LARGEST or form.get("ghostMannequin.mode") is None:
            return self._problem("nothing to edit")
        self.sizes.append(str(form.get("ghostMannequin.size")))
        return web.Response(body=self.picture, content_type="image/png")

    def _refused(self, request: web.Request) -> web.Response | None:
        if self.answer is not None:
            return web.Response(
                status=self.answer.status, body=self.answer.body, headers=dict(self.answer.headers)
            )
        if request.headers.get("x-api-key") not in self._keys:
            return web.json_response({"error": {"message": "Invalid API key"}}, status=403)
        return None

    def _problem(self, what: str) -> web.Response:
        self.problems.append(what)
        return web.json_response({"error": {"message": what}}, status=400)


@asynccontextmanager
async def photoroom_contract() -> AsyncIterator[PhotoroomContract]:
    """It while it runs, on a free loopback port."""
    photoroom = PhotoroomContract()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    app.router.add_get("/v2/account", photoroom.account)
    app.router.add_post("/v2/edit", photoroom.edit)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    photoroom.port = runner.addresses[0][1]
    try:
        yield photoroom
    finally:
        await runner.cleanup()
