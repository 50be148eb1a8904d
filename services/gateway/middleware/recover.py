"""The last resort: an error that nobody expected is logged in full and answered without a word of it."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.telemetry import logger
from services.gateway.problems import internal

_log = logger("gateway")


class Recover:
    """Answers 500. Where the answer had begun, the error goes on and the server breaks the connection."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def seen(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, seen)
        except Exception:
            _log.exception("request_failed", path=scope.get("path"))
            if begun or scope["type"] != "http":
                raise
            await internal(scope.get("request_id"))(scope, receive, send)
