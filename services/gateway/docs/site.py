"""The documentation site, as files that were built beforehand (`make docs`)."""

from __future__ import annotations

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; "
    "base-uri 'self'; form-action 'none'"
)
"""Each page's own policy (a meta element) allows its inline scripts by their hashes alone: both must fit."""


class Site:
    """The built site of `folder`; where none was built, the one page that is always there."""

    def __init__(self, folder: Path | None) -> None:
        self._files: ASGIApp = _elsewhere
        if folder is not None and (folder / "index.html").is_file():
            self._files = StaticFiles(directory=folder, html=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = POLICY
                headers["Cache-Control"] = "public, max-age=300"
            await send(message)

        await self._files(scope, receive, with_policy)


async def _elsewhere(scope: Scope, receive: Receive, send: Send) -> None:
    await RedirectResponse("/docs")(scope, receive, send)
