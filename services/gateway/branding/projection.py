"""How every replica gets to know the brands; see `auth/projection.py`, which does the same for keys."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from libs.common.bus.bus import Bus, Delivery, Handler
from libs.common.contracts import flow
from libs.common.contracts.branding import BrandChanged, BrandsChanged
from libs.common.contracts.message import Message
from libs.common.contracts.tenants import Entitlement, PlanChanged
from libs.common.db import Database, Queries, Transaction
from libs.common.errors import MannequinError
from libs.common.outbox import once
from libs.common.telemetry import logger
from services.gateway.branding.book import BrandBook, KnownBrand

POLL_S = 1.0
sql = Queries(__package__)
_log = logger("gateway.brands")


def brands_handler(database: Database, bus: Bus) -> Handler:
    """Stores what the tenants service tells of brands and plans, then tells every replica to look."""
    store = once(database, flow.BRANDS, store_brand)

    async def handle(delivery: Delivery) -> None:
        await store(delivery)
        await bus.signal(BrandsChanged())

    return handle


async def store_brand(message: Message, tx: Transaction) -> None:
    """Events may come in any order: the highest revision stays."""
    if isinstance(message, BrandChanged):
        brand = message.brand.model_dump(mode="json")
        hosts = list(message.hosts)
        await tx.execute(sql.store_brand, tx.tenant, brand, message.slug, hosts, message.revision)
    elif isinstance(message, PlanChanged):
        entitled = message.plan.has(Entitlement.WHITE_LABEL)
        await tx.execute(sql.store_entitlement, tx.tenant, entitled, message.revision)


class BrandWatch:
    """Keeps a book of brands up to date from the stored projection."""

    def __init__(self, database: Database, book: BrandBook) -> None:
        self._database = database
        self._book = book
        self._position = 0
        self._wake = asyncio.Event()

    async def changed(self, _: Delivery) -> None:
        """Listener of BrandsChanged."""
        self._wake.set()

    async def read(self) -> None:
        """Read what changed since the last time, or everything where brands are gone."""
        async with self._database.platform("read brands") as tx:
            now = await tx.fetchrow(sql.brands_position)
            assert now is not None
            rows = await tx.fetch(sql.brands_since, self._position)
            if rows:
                self._book.learn(map(KnownBrand.of, rows))
            if len(self._book) != now["known"]:
                self._book.learn(map(KnownBrand.of, await tx.fetch(sql.brands_since, 0)), anew=True)
        self._position = now["position"]

    async def run(self) -> None:
        """Read on each signal and every `POLL_S` seconds, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_S):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.read()
            except MannequinError as error:
                _log.warning("brands_not_read", reason=error.detail)
