"""JSON bodies are read whole, so they must be small; uploads have limits of their own."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LIMIT = 64 * 1024


class BodyLimit:
    """Answers 413 to a body over `LIMIT` bytes, except on the paths of uploads."""

    def __init__(self, app: ASGIApp, uploads: frozenset[str]) -> None:
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._uploads:
            await self._app(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > LIMIT:
                raise HTTPException(413, f"The body is larger than the {LIMIT:,} bytes that are taken here.")
            return message

        await self._app(scope, counted, send)
