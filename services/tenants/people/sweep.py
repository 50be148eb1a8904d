"""What is over is forgotten after a while."""

from __future__ import annotations

import asyncio

from libs.common.db import Database
from libs.common.errors import MannequinError
from libs.common.telemetry import logger
from services.tenants.people.staff.store import sql as staff_sql
from services.tenants.people.store import sql

_EVERY_S = 3600
_log = logger("tenants.people")
_SWEEPS = (
    sql.sweep_sessions,
    sql.sweep_failures,
    sql.sweep_resets,
    sql.sweep_states,
    sql.sweep_invites,
    staff_sql.sweep_sessions,
)


async def sweep(database: Database) -> None:
    """Once: sessions, links, counts and sign-ins that were left."""
    async with database.platform("people sweep") as tx:
        for statement in _SWEEPS:
            await tx.execute(statement)


async def sweeping(database: Database) -> None:
    """Every hour, until cancelled."""
    while True:
        try:
            await sweep(database)
        except MannequinError as error:
            _log.warning("people_not_swept", reason=error.detail)
        await asyncio.sleep(_EVERY_S)
