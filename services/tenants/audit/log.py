"""Chains of entries in the database: one a tenant, and one of the platform's own people."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from libs.common.contracts.ids import TenantId
from libs.common.db import Database, Queries, Row, Transaction

_SLICE = 1000
sql = Queries(__package__)


@dataclass(frozen=True, slots=True)
class Statements:
    """What is asked of a chain's tables; each takes the tenant first, if it is a tenant's."""

    lock_head: str
    move_head: str
    append: str
    head: str
    newest: str
    oldest: str
    links: str


OF_TENANT = Statements(sql.lock_head, sql.move_head, sql.append, sql.head, sql.newest, sql.oldest, sql.links)
OF_PLATFORM = Statements(
    sql.platform_lock_head,
    sql.platform_move_head,
    sql.platform_append,
    sql.platform_head,
    sql.platform_newest,
    sql.platform_oldest,
    sql.platform_links,
)


@dataclass(frozen=True, slots=True)
class Head:
    """The end of a chain: 0 and the genesis hash while it is empty."""

    sequence: int
    hash: str


class Chain:
    """The chain of a tenant, or of the platform (None)."""

    def __init__(self, database: Database, tenant: TenantId | None) -> None:
        self._database = database
        self._tenant = tenant
        self._sql = OF_TENANT if tenant else OF_PLATFORM

    def transaction(self, reason: str) -> AbstractAsyncContextManager[Transaction]:
        """One that may touch the chain's tables."""
        return self._database.tenant(self._tenant) if self._tenant else self._database.platform(reason)

    async def lock(self, tx: Transaction, genesis: str) -> Head:
        """The end, which nobody else moves until the transaction ends."""
        row = await tx.fetchrow(self._sql.lock_head, *self._whose, genesis)
        assert row is not None
        return Head(row["sequence"], row["hash"])

    async def append(self, tx: Transaction, at: datetime, body: str, end: Head) -> None:
        """Add the entry that `end` is the end with; the head has to be locked."""
        await tx.execute(self._sql.append, *self._whose, end.sequence, at, body, end.hash)
        await tx.execute(self._sql.move_head, *self._whose, end.sequence, end.hash)

    async def head(self, tx: Transaction) -> Head | None:
        row = await tx.fetchrow(self._sql.head, *self._whose)
        return Head(row["sequence"], row["hash"]) if row else None

    async def page(
        self, tx: Transaction, *, oldest_first: bool, filters: Sequence[Any], after: int | None, limit: int
    ) -> list[dict[str, Any]]:
        """Entries as JSON objects. filters: action, actor, since, until; None where any will do."""
        query = self._sql.oldest if oldest_first else self._sql.newest
        rows = await tx.fetch(query, *self._whose, *filters, after, limit)
        return [{**json.loads(row["body"]), "hash": row["hash"]} for row in rows]

    async def links(self, tx: Transaction, until: int) -> AsyncIterator[list[Row]]:
        """The rows up to the sequence `until` as they stand, oldest first, in slices."""
        last = -1
        while rows := await tx.fetch(self._sql.links, *self._whose, last, until, _SLICE):
            yield rows
            last = rows[-1]["sequence"]

    @property
    def _whose(self) -> tuple[TenantId, ...]:
        return (self._tenant,) if self._tenant else ()
