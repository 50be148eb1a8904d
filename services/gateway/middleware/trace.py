"""A server span for each request, under the caller's if it sends a `traceparent` (W3C trace context)."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libs.common.telemetry import remote_context
from services.gateway.middleware.routes import route_of


class Trace:
    """Attributes by https://opentelemetry.io/docs/specs/semconv/http/http-spans/."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._tracer = trace.get_tracer("mannequin.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        parent = remote_context(Headers(scope=scope).get("traceparent"))
        attributes = {"http.request.method": method, "url.path": scope["path"]}
        with self._tracer.start_as_current_span(method, parent, SpanKind.SERVER, attributes) as span:

            async def seen(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                    if message["status"] >= 500:
                        span.set_status(StatusCode.ERROR)
                await send(message)

            try:
                await self._app(scope, receive, seen)
            finally:
                route = route_of(scope)
                span.update_name(f"{method} {route}")
                span.set_attribute("http.route", route)
                if tenant := getattr(scope.get("caller"), "tenant", None):
                    span.set_attribute("tenant", tenant)
