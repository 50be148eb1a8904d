"""How many requests there are, how they end and how long they take (Prometheus)."""

from __future__ import annotations

import time

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.middleware.routes import route_of

BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class GatewayMetrics:
    """The gateway's own figures; made once a registry."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self.requests = Counter(
            "mannequin_http_requests", "Requests.", ("method", "route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "mannequin_http_request_seconds",
            "Seconds until a request was answered to its end.",
            ("method", "route"),
            registry=registry,
            buckets=BUCKETS,
        )
        self.uploaded = Counter(
            "mannequin_http_uploaded_bytes", "Bytes of uploaded files.", registry=registry
        )
        self.streams = Gauge(
            "mannequin_http_event_streams", "Event streams that are open now.", registry=registry
        )


class Measure:
    """Counts each request by its route's template."""

    def __init__(self, app: ASGIApp, metrics: GatewayMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:
            method, route = scope["method"], route_of(scope)
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.seconds.labels(method, route).observe(time.perf_counter() - began)
