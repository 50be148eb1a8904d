"""2,000 items with the render left out: what the line costs an item, beside Celery's."""

from __future__ import annotations

import statistics

from bench import celery, photos
from bench.line import Line, Tenant, line
from deploy.local.supervisor import Bus

ITEMS = 2000
STUB = {"inference": "bench.stub_inference"}


async def run() -> dict[str, float]:
    figures: dict[str, float] = {}
    for bus in (Bus.NATS, Bus.RABBITMQ):
        async with line(bus, STUB) as running, running.tenant("bench") as tenant:
            per_s, cpu_ms = await items_per_s(running, tenant)
            figures[f"items_per_s_{bus}"] = per_s
            figures[f"cpu_ms_an_item_{bus}"] = cpu_ms
            figures[f"last_item_to_webhook_ms_p50_{bus}"] = await last_item_to_webhook_ms(running, tenant)
    figures["celery_items_per_s"] = await celery.noop_items_per_s(ITEMS)
    figures["speedup_vs_celery"] = figures["items_per_s_rabbitmq"] / figures["celery_items_per_s"]
    figures["last_item_to_webhook_ms_p50"] = figures["last_item_to_webhook_ms_p50_nats"]
    return figures


async def items_per_s(running: Line, tenant: Tenant) -> tuple[float, float]:
    """Median of three batches: items per second from submission to webhook, and CPU milliseconds an item."""
    archive = photos.tiny_archive(ITEMS)
    rates, costs = [], []
    for _ in range(3):
        before = running.cpu_s()
        batch = await tenant.submit(archive)
        rates.append(ITEMS / (await tenant.done(batch) - batch.began))
        costs.append((running.cpu_s() - before) * 1000 / ITEMS)
    return statistics.median(rates), statistics.median(costs)


async def last_item_to_webhook_ms(running: Line, tenant: Tenant) -> float:
    """Median over 20 batches of 5: from the last result in the storage to the webhook at its receiver."""
    waits = []
    for _ in range(20):
        batch = await tenant.submit(photos.tiny_archive(5))
        received = await tenant.done(batch)
        waits.append((received - running.last_result_at(batch.id)) * 1000)
    return statistics.median(waits)
