"""A request id for every request, and one log line when it is over: never its body, query or headers."""

from __future__ import annotations

import re
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars
from ulid import ULID

from libs.common.telemetry import logger
from services.gateway.middleware.routes import route_of

_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_log = logger("gateway.access")


class AccessLog:
    """Puts `request_id` into the scope, the answer and every log line of the request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = request_id = _request_id(Headers(scope=scope))
        began = time.perf_counter()
        status = 0

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, seen)
            finally:
                _tell(scope, status, time.perf_counter() - began)


def _request_id(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _GIVEN.fullmatch(given) else f"req_{str(ULID()).lower()}"


def _tell(scope: Scope, status: int, seconds: float) -> None:
    caller = scope.get("caller")
    _log.info(
        "answered",
        method=scope["method"],
        route=route_of(scope),
        path=scope["path"],
        status=status,
        ms=round(seconds * 1000, 1),
        client=(scope.get("client") or ("",))[0],
        **({"tenant": str(caller.tenant or ""), "caller": caller.subject} if caller else {}),
    )
