"""Releases waiting images to the workers: single images first, then tenants in fair turns.

Waiting images live in the database, so that cancelling, priority and fairness are one query and the broker's
queues stay short. Replicas take turns under one advisory lock.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any

from prometheus_client import Gauge

from libs.common.bus.bus import Delivery
from libs.common.contracts.ids import BatchId, TenantId
from libs.common.contracts.inference import WorkerRole, WorkerSeen
from libs.common.db import Database, Row, Transaction
from libs.common.errors import MannequinError
from libs.common.telemetry import logger
from services.batch import store
from services.batch.accounts import Ledger
from services.batch.collector import cancel_waiting, settle
from services.batch.fairness import Demand, FairShare
from services.batch.flights import Flights, Rooms, role_of
from services.batch.looking import look_at_parked
from services.batch.progress import Progress
from services.batch.quotas.concurrency import Concurrency
from services.batch.release import Round
from services.batch.routing import Work, decide, usable
from services.batch.store import Moves, sql

_log = logger("batch.dispatcher")
_backlog_images = Gauge("mannequin_backlog_images", "Images that wait for their release")
_backlog_gpu_seconds = Gauge("mannequin_backlog_gpu_seconds", "Estimated rendering time of what waits")
_backlog_oldest = Gauge("mannequin_backlog_oldest_seconds", "Age of the oldest batch with waiting images")
_parked = Gauge("mannequin_images_parked", "Images that wait for a route")
_in_flight = Gauge("mannequin_images_in_flight", "Images released and not yet ended", ["role"])

_SINGLES_A_ROUND = 32
Demands = dict[WorkerRole, dict[TenantId, Demand]]


class Dispatcher:
    """One loop a process; `wake` it whenever images came or ended, or a route may have opened."""

    def __init__(
        self,
        database: Database,
        flights: Flights,
        progress: Progress,
        *,
        render_timeout_s: float,
        interval: float = 1.0,
    ) -> None:
        self._database = database
        self._flights = flights
        self._progress = progress
        self._shares = {role: FairShare() for role in WorkerRole}
        self._render_timeout_s = render_timeout_s
        self._interval = interval
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def worker_seen(self, delivery: Delivery) -> None:
        """Listener of `WorkerSeen`: how many images the workers render at a time."""
        seen = delivery.message
        assert isinstance(seen, WorkerSeen)
        self._flights.worker_seen(seen, time.monotonic())

    async def run(self) -> None:
        """Dispatch until cancelled; a database that is away is waited for."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._interval):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.dispatch()
            except MannequinError as error:
                _log.warning("dispatch_waits", reason=error.detail)

    async def dispatch(self) -> int:
        """Release what there is room for; how many images."""
        async with self._database.platform("dispatch") as tx:
            turn = await tx.fetchrow(sql.lock_dispatch)
            assert turn is not None
            flying = await tx.fetch(sql.count_rendering)
            in_flight = _summed(flying, "credential_id")
            rooms = Rooms.after(self._flights, in_flight)
            most = {row["tenant_id"]: row["most"] for row in await tx.fetch(sql.concurrency)}
            limits = Concurrency.after(most, _summed(flying, "tenant_id"))
            round_ = Round(tx, self._flights, rooms, self._progress, turn["now"], concurrency=limits)
            await look_at_parked(round_)
            released = await self._release_singles(round_)
            released += await self._release_fairly(round_)
            await round_.finish()
        platform = in_flight.pop(None, 0)
        _in_flight.labels(WorkerRole.LOCAL).set(platform)
        _in_flight.labels(WorkerRole.REMOTE).set(sum(in_flight.values()))
        return released

    async def watch(self) -> None:
        """Now and then: export the backlog, and put images whose outcome never came back in line."""
        while True:
            with suppress(MannequinError):
                await self._export_backlog()
                await self._take_back_stale()
            await asyncio.sleep(min(5.0, self._render_timeout_s / 4))

    async def _release_singles(self, round_: Round) -> int:
        released = 0
        full = round_.concurrency.full()
        for single in await round_.tx.fetch(sql.waiting_singles, _SINGLES_A_ROUND, full):
            tenant = TenantId(single["tenant_id"])
            if not round_.concurrency.room(tenant, 1):
                continue
            row = await store.lock_batch(round_.tx, tenant, BatchId(single["id"]))
            if single["byok"]:
                released += (await round_.release_routed(row, 1, ahead=True)).sent
            else:
                released += (await round_.release_plainly(row, 1)).sent
        return released

    async def _release_fairly(self, round_: Round) -> int:
        lines = await _lines(round_, await round_.tx.fetch(sql.demands))
        released = 0
        for role, demands in lines.demands.items():
            room = round_.rooms.left[role]
            # Every round is a commit: not worth it for less than a quarter of the flight.
            if room < self._flights.of(role).in_flight // 4:
                continue
            for tenant, images in _turns(self._shares[role].grant(demands, room)):
                released += await _release_line(round_, lines, role, tenant, images)
        return released

    async def _export_backlog(self) -> None:
        async with self._database.platform("backlog") as tx:
            row = await tx.fetchrow(sql.backlog)
        assert row is not None
        _backlog_images.set(row["images"])
        _parked.set(row["parked"])
        _backlog_oldest.set(row["oldest_s"])
        _backlog_gpu_seconds.set(row["images"] * self._flights.local.image_s)

    async def _take_back_stale(self) -> None:
        """A transaction for each batch: only the dispatch holds several, so that it waits in no circle."""
        async with self._database.platform("find overdue images") as tx:
            found = await tx.fetch(sql.stale_batches, self._render_timeout_s)
        for batch in found:
            async with self._database.platform("overdue images") as tx:
                await self._take_back(tx, TenantId(batch["tenant_id"]), BatchId(batch["batch_id"]))

    async def _take_back(self, tx: Transaction, tenant: TenantId, batch_id: BatchId) -> None:
        await store.lock_batch(tx, tenant, batch_id)
        stale = await tx.fetch(sql.take_back_stale, tenant, batch_id, self._render_timeout_s)
        count, ledger = len(stale), Ledger()
        moves = Moves(ready=count, waiting=count, rendering=-count)
        row = await store.move_counts(tx, tenant, batch_id, moves)
        if row["cancelling"]:
            await settle(tx, await cancel_waiting(tx, row), self._progress)
        ledger.free(tenant, stale)
        await ledger.write(tx)
        _log.warning("overdue_images_released_again", batch=batch_id, images=count)


def _turns(grants: Iterable[tuple[TenantId, int]]) -> Iterator[tuple[TenantId, int]]:
    """The same in the same order, with turns of one tenant that follow each other taken together."""
    for tenant, turns in groupby(grants, key=itemgetter(0)):
        yield tenant, sum(images for _, images in turns)


def _summed(rows: Iterable[Row], key: str) -> dict[Any, int]:
    """Images by one column of the rows."""
    sums: Counter[Any] = Counter()
    for row in rows:
        sums[row[key]] += row["images"]
    return dict(sums)


@dataclass
class _Lines:
    """Who could have what released now, on the flight that it would go with.

    `tests`: whether a line holds tests, which never go on a tenant's keys, or others, or both. `routed`:
    tenants whose keys come into it.
    """

    demands: Demands = field(default_factory=lambda: {role: {} for role in WorkerRole})
    tests: dict[tuple[WorkerRole, TenantId], list[bool]] = field(default_factory=dict)
    routed: set[TenantId] = field(default_factory=set)

    def add(self, role: WorkerRole, tenant: TenantId, demand: Demand, *, test: bool) -> None:
        before = self.demands[role].get(tenant, Demand(0))
        self.demands[role][tenant] = Demand(before.ready + demand.ready, demand.weight)
        self.tests.setdefault((role, tenant), []).append(test)


async def _lines(round_: Round, rows: list[Row]) -> _Lines:
    lines = _Lines()
    for row in rows:
        tenant, test = TenantId(row["tenant_id"]), row["test"]
        demand = Demand(round_.concurrency.room(tenant, row["ready"]), row["weight"])
        if not row["byok"]:
            lines.add(WorkerRole.LOCAL, tenant, demand, test=test)
            continue
        lines.routed.add(tenant)
        if (on := await _routed_demand(round_, tenant, demand)) is not None:
            lines.add(*on, test=test)
    return lines


async def _routed_demand(
    round_: Round, tenant: TenantId, demand: Demand
) -> tuple[WorkerRole, TenantId, Demand] | None:
    """None where no image of the tenant has a route now: they leave the line at once."""
    standing = await round_.standing(tenant)
    shares = decide(standing, Work(), 1, round_.now).shares
    if not shares:
        await _release_for(round_, tenant, 0, tests=(False,), routed=True)
        return None
    role = role_of(shares[0].route)
    if role is WorkerRole.LOCAL:
        return role, tenant, demand
    room = round_.rooms.on_keys(usable(standing, Work(), round_.now))
    return role, tenant, Demand(min(demand.ready, room), demand.weight)


async def _release_line(
    round_: Round, lines: _Lines, role: WorkerRole, tenant: TenantId, granted: int
) -> int:
    images = round_.concurrency.room(tenant, granted)
    if not images:
        return 0
    tests = lines.tests[role, tenant]
    return await _release_for(round_, tenant, images, tests=tests, routed=tenant in lines.routed)


async def _release_for(
    round_: Round, tenant: TenantId, images: int, *, tests: Sequence[bool], routed: bool
) -> int:
    """Release up to so many images of the tenant's batches, the oldest first. Tests go to the platform."""
    sent = 0
    while row := await round_.tx.fetchrow(sql.lock_next_batch, tenant, list(tests)):
        release = round_.release_routed if routed and not row["test"] else round_.release_plainly
        released = await release(row, images - sent)
        sent += released.sent
        if not released or (sent >= images and not released.without_route):
            break
    return sent
