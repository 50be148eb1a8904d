"""One trace from the upload to the webhook, as an OTLP collector receives it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deploy.local.demo.receiver import receiver
from deploy.local.ports import HOST
from deploy.local.state import State
from deploy.local.supervisor import Supervisor
from libs.client import AsyncMannequin
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.system import System

Spans = dict[bytes, set[tuple[str, str]]]
WANTED = {
    "mannequin-gateway",
    "mannequin-batch",
    "mannequin-inference",
    "mannequin-webhooks",
}


@asynccontextmanager
async def collector() -> AsyncIterator[tuple[str, Spans]]:
    """The address of a collector, and (service, span) by trace as they come."""
    spans: Spans = defaultdict(set)

    async def take(request: web.Request) -> web.Response:
        message = ExportTraceServiceRequest.FromString(await request.read())
        for resource in message.resource_spans:
            names = {a.key: a.value.string_value for a in resource.resource.attributes}
            for scope in resource.scope_spans:
                for span in scope.spans:
                    spans[span.trace_id].add((names["service.name"], span.name))
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    yield f"http://{HOST}:{runner.addresses[0][1]}", spans
    await runner.cleanup()


async def test_one_trace_leads_from_upload_to_webhook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through HTTP, bus and database of all four services."""
    async with collector() as (address, spans), receiver() as hooks:
        monkeypatch.setenv("MANNEQUIN_OTLP_ENDPOINT", address)
        archive = tmp_path / "photos.zip"
        archive.write_bytes(zipped(numbered(jpegs(2))))
        async with Supervisor(State(tmp_path / "state")) as supervisor:
            _, _, key = await System(supervisor).make_tenant("a shop")
            async with AsyncMannequin(key.get_secret_value(), supervisor.addresses.api_url) as api:
                await api.webhook_endpoints.create(hooks.url)
                await api.batches.process(archive)
                await asyncio.wait_for(hooks.arrivals.get(), 60)
        # Stopped processes have sent what they had.
        through = [found for found in spans.values() if {service for service, _ in found} >= WANTED]

    assert len(through) == 1, {trace.hex(): sorted(found) for trace, found in spans.items()}
    names = {name for _, name in through[0]}
    assert {"split", "render", "deliver webhook"} <= names
