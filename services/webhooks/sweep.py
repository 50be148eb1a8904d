"""Forgets deliveries that ended long ago."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from libs.common.db import Database
from libs.common.errors import MannequinError
from services.webhooks.clock import Clock, utc_now
from services.webhooks.store import sql

_EVERY_S = 3600


async def sweep(database: Database, *, keep_days: int, clock: Clock = utc_now) -> None:
    """Forget what ended and is older than `keep_days`; runs until cancelled."""
    while True:
        with suppress(MannequinError):
            while await forget(database, keep_days=keep_days, clock=clock):
                pass
        await asyncio.sleep(_EVERY_S)


async def forget(database: Database, *, keep_days: int, clock: Clock) -> int:
    """Forget some, a transaction that is short; how many they were."""
    async with database.platform("forget old deliveries") as tx:
        return await tx.execute(sql.forget_ended, clock() - timedelta(days=keep_days))
