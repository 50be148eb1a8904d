"""Follows every erasure to its end, from wherever it stands: each step is one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from libs.common.audit.record import record
from libs.common.bus.bus import Bus
from libs.common.bus.remains import Remains
from libs.common.contracts.access import Actor, ActorKind
from libs.common.contracts.erasure import SignStatement, TenantErasureBegan
from libs.common.contracts.ids import ErasureId, TenantId
from libs.common.db import Database, Row, Transaction
from libs.common.erasure import erase_rows, raise_fence
from libs.common.errors import MannequinError
from libs.common.telemetry import logger
from services.tenants.erasure import store
from services.tenants.erasure.certificate import statement_of
from services.tenants.erasure.rules import PARTS, Patience, Step, added, next_step
from services.tenants.erasure.store import OWN, sql

_log = logger("tenants.erasure")
_BROKER = "broker"


@dataclass(frozen=True, slots=True)
class Terms:
    """poll_s: between looks. backups: how long copies of the database are kept."""

    patience: Patience
    backups: timedelta
    poll_s: float


class ErasureSaga:
    """Any number of instances may run: an erasure in hand is skipped by the others."""

    def __init__(self, database: Database, bus: Bus, remains: Remains, terms: Terms) -> None:
        self._database = database
        self._bus = bus
        self._remains = remains
        self._terms = terms

    async def run(self) -> None:
        """Look after all of them until cancelled; what is away is waited for."""
        while True:
            try:
                await self.turn()
            except MannequinError as error:
                _log.warning("erasure_waits", reason=error.detail)
            await asyncio.sleep(self._terms.poll_s)

    async def turn(self) -> None:
        """One step of every erasure that has one to take."""
        async with self._database.platform("list erasures") as tx:
            found = [ErasureId(row["id"]) for row in await tx.fetch(sql.open_ones)]
        for erasure_id in found:
            async with self._database.platform("go on with an erasure") as tx:
                if (row := await tx.fetchrow(sql.lock_open, erasure_id)) is not None:
                    await self._step(tx, row)

    async def _step(self, tx: Transaction, row: Row) -> None:
        step = next_step(store.progress(row), datetime.now(UTC), self._terms.patience)
        match step:
            case Step.ANNOUNCE:
                await tx.execute(sql.announce_again, row["id"])
                _announce(tx, row, row["round"])
            case Step.NEXT_ROUND:
                # From here on the audit log takes nothing in any more either: it goes last.
                await raise_fence(tx, TenantId(row["subject"]))
                await tx.execute(sql.begin_round, row["id"], row["round"] + 1, list(PARTS))
                _announce(tx, row, row["round"] + 1)
            case Step.FINISH:
                await self._finish(tx, row)
        if step is not Step.WAIT:
            _log.info("erasure_stepped", erasure=row["id"], step=step.name, waiting=list(row["waiting_for"]))

    async def _finish(self, tx: Transaction, row: Row) -> None:
        """The tenant itself, its people, keys and log; the certificate in the same transaction."""
        tenant, now = TenantId(row["subject"]), datetime.now(UTC)
        removed = added(row["removed"], OWN, await erase_rows(tx, tenant))
        removed = added(removed, _BROKER, {"dead_letters": await self._remains.purge(tenant)})
        statement = statement_of({**row, "removed": removed}, now, self._terms.backups)
        signed = await self._bus.request(
            SignStatement(statement=statement, tenant_sha256=row["tenant_sha256"])
        )
        certificate = (statement, signed.signature, signed.public_key)
        await tx.execute(sql.complete, row["id"], removed, now, *certificate)
        _tell_platform(tx, row, removed)


def _announce(tx: Transaction, row: Row, round_: int) -> None:
    began = TenantErasureBegan(erasure_id=row["id"], round=round_)
    tx.publish(began, tenant=TenantId(row["subject"]), subject=row["id"])


def _tell_platform(tx: Transaction, row: Row, removed: Mapping[str, Mapping[str, int]]) -> None:
    """In the platform's own log, which is what is left to hold it."""
    record(
        tx,
        "tenant.erased",
        row["id"],
        actor=Actor(kind=ActorKind.SERVICE, id=OWN),
        tenant_sha256=row["tenant_sha256"],
        requested_by=row["requested_by"],
        removed=sum(sum(counts.values()) for counts in removed.values()),
    )
