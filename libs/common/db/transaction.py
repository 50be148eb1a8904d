"""One unit of work: what it changes and what it announces are committed together, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import asyncpg

from libs.common.audit.acting import current_actor
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import TenantId, tenant_sha256
from libs.common.contracts.message import Durable
from libs.common.telemetry import current_traceparent

Row = asyncpg.Record

_TAKE_IN = """
insert into {schema}.inbox (tenant_id, queue, message_id) select $1, $2, unnest($3::text[])
where not exists (select from {schema}.erased where tenant_sha256 = $4)
on conflict do nothing returning message_id
"""
_INSERT_OUTBOX = """
insert into {schema}.outbox (tenant_id, message_id, headers, data)
select * from unnest($1::text[], $2::text[], $3::jsonb[], $4::bytea[])
"""


class Transaction:
    """An open transaction: SQL by `fetch…` and `execute`; messages by `publish`, once it commits."""

    def __init__(self, connection: asyncpg.Connection[Row], schema: str, tenant: TenantId | None) -> None:
        self._connection = connection
        self.schema = schema
        self._envelopes: list[Envelope] = []
        self.tenant = tenant
        self.after_commit: list[Callable[[], None]] = []

    async def fetch(self, query: str, *args: Any) -> list[Row]:
        return await self._connection.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> Row | None:
        return await self._connection.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        return await self._connection.fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> int:
        """The number of rows touched."""
        count = (await self._connection.execute(query, *args)).rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def publish(
        self, message: Durable, *, tenant: TenantId | None = None, subject: str | None = None
    ) -> None:
        """Announce `message` on commit, for `tenant` (default: the transaction's own)."""
        self._envelopes.append(
            Envelope.of(
                message,
                source=self.schema,
                tenant=tenant or self.tenant,
                subject=subject,
                traceparent=current_traceparent(),
                actor=current_actor(),
            )
        )

    async def first_time(self, queue: str, envelope: Envelope) -> bool:
        """Record that `queue` took the message; False if it had before, and the effect is there, or if its
        tenant was erased: nothing may come back.
        """
        return bool(await self.first_times(queue, [envelope]))

    async def first_times(self, queue: str, envelopes: Sequence[Envelope]) -> set[str]:
        """The same for several messages of the tenant at once: the ids of those that are new."""
        rows = await self.fetch(
            _TAKE_IN.format(schema=self.schema),
            self.tenant,
            queue,
            [envelope.id for envelope in envelopes],
            tenant_sha256(self.tenant) if self.tenant else "",
        )
        return {row["message_id"] for row in rows}

    async def flush_outbox(self) -> bool:
        """Write the announced messages; True if there were any. The database calls it before the commit."""
        if not self._envelopes:
            return False
        await self._connection.execute(_INSERT_OUTBOX.format(schema=self.schema), *_columns(self._envelopes))
        return True


def _columns(envelopes: Sequence[Envelope]) -> tuple[list[Any], ...]:
    return (
        [envelope.tenant_id for envelope in envelopes],
        [envelope.id for envelope in envelopes],
        [envelope.headers() for envelope in envelopes],
        [envelope.data for envelope in envelopes],
    )
