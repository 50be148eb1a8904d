"""Sends what is due. Retries live in the database: whoever dies, the next one goes on where it was."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from opentelemetry import trace
from prometheus_client import Counter as Total
from prometheus_client import Histogram

from libs.common.contracts.ids import TenantId
from libs.common.db import Database, Row, Transaction
from libs.common.errors import MannequinError
from libs.common.telemetry import logger, remote_context
from services.webhooks.attempt import Sender
from services.webhooks.clock import Clock, utc_now
from services.webhooks.record import record
from services.webhooks.share import Bounds, EndpointKey, share
from services.webhooks.store import sql

_log = logger("webhooks.deliver")
_tracer = trace.get_tracer("mannequin.webhooks")
_attempts = Total("mannequin_webhook_attempts", "Tries to deliver", ["outcome"])
_duration = Histogram("mannequin_webhook_seconds", "Time of one try")

CLAIM = timedelta(seconds=60)
"""Longer than any try (settings allow 45 s) and its record take."""

_POLL_S = 1.0
_DRAIN_S = 5.0


class Deliverer:
    """One loop a process; `wake` it when there is something new. Any number of processes may run one."""

    def __init__(self, database: Database, sender: Sender, bounds: Bounds, *, clock: Clock = utc_now) -> None:
        self._database = database
        self._sender = sender
        self._bounds = bounds
        self._clock = clock
        self._wake = asyncio.Event()
        self._running: dict[asyncio.Task[None], Row] = {}

    def wake(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled; then what is under way may end, and what can't is left to others."""
        try:
            while True:
                self._wake.clear()
                claimed = await self._claim()
                for delivery in claimed:
                    self._start(delivery)
                if not claimed:
                    with suppress(TimeoutError):
                        # Not `wait_for`: before 3.12 it swallows a cancellation that comes with the wake.
                        async with asyncio.timeout(_POLL_S):
                            await self._wake.wait()
        finally:
            await self._drain()

    def _start(self, delivery: Row) -> None:
        task = asyncio.create_task(self._deliver(delivery))
        self._running[task] = delivery
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        if not task.cancelled() and (error := task.exception()):
            # Its claim runs out, and it is tried again: nothing is lost, something may be sent twice.
            _log.error("delivery_interrupted", exc_info=error)
        self._wake.set()

    async def _claim(self) -> Sequence[Row]:
        if len(self._running) >= self._bounds.total:
            return ()
        try:
            async with self._database.platform("claim due deliveries") as tx:
                return await self._claim_in(tx)
        except MannequinError as error:
            _log.warning("deliveries_wait", reason=error.detail)
            return ()

    async def _claim_in(self, tx: Transaction) -> Sequence[Row]:
        now = self._clock()
        waiting = [EndpointKey(*row) for row in await tx.fetch(sql.waiting_endpoints, now)]
        places = share(waiting, Counter(map(_key, self._running.values())), self._bounds)
        if not places:
            return ()
        # A claim lost in a power cut is a delivery sent twice at worst: no need to wait for the disk.
        await tx.execute("set local synchronous_commit = off")
        tenants, endpoints = zip(*places, strict=True)
        return await tx.fetch(sql.claim_due, now, now + CLAIM, tenants, endpoints, list(places.values()))

    async def _deliver(self, delivery: Row) -> None:
        context = remote_context(delivery["traceparent"])
        with _tracer.start_as_current_span("deliver webhook", context=context) as span:
            span.set_attribute("delivery", delivery["id"])
            answer = await self._sender.send(delivery)
            _attempts.labels("delivered" if answer.delivered else "failed").inc()
            _duration.observe(answer.duration_ms / 1000)
            async with self._database.tenant(TenantId(delivery["tenant_id"])) as tx:
                await record(tx, delivery, answer, self._clock())

    async def _drain(self) -> None:
        if self._running:
            await asyncio.wait(self._running, timeout=_DRAIN_S)
        left = dict(self._running)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
            await self._release(list(left.values()))

    async def _release(self, claimed: Sequence[Row]) -> None:
        columns = [[row[name] for row in claimed] for name in ("tenant_id", "id", "claimed_until")]
        with suppress(MannequinError):
            async with self._database.platform("release claims") as tx:
                await tx.execute(sql.release_claims, *columns)


def _key(delivery: Row) -> EndpointKey:
    return EndpointKey(delivery["tenant_id"], delivery["endpoint_id"])
