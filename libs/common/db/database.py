"""A service's database: two login roles, and every transaction says for whom it is.

`tenant()` sees one tenant's rows and `platform()` all of the schema's; both are enforced by PostgreSQL's
row-level security (https://www.postgresql.org/docs/current/ddl-rowsecurity.html), so that a forgotten
`where` shows nothing rather than another tenant's rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg
from opentelemetry import trace
from pydantic import SecretStr

from libs.common.contracts.ids import TenantId
from libs.common.db.transaction import Row, Transaction
from libs.common.errors import Transient, Unavailable
from libs.common.settings import DatabaseSettings

_REASON = re.compile(r"[a-z][a-z0-9 _-]{2,60}")
_GONE = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.CannotConnectNowError)
_tracer = trace.get_tracer("mannequin.db")


class Database:
    """Pools of the service's tenant role and platform role. `schema` is the service's name."""

    def __init__(
        self, url: SecretStr, platform_url: SecretStr, *, schema: str, connections: int = 10
    ) -> None:
        self._urls = {"tenant": url, "platform": platform_url}
        self._connections = connections
        self._pools: dict[str, asyncpg.Pool[Row]] = {}
        self.schema = schema
        self.on_outbox: Callable[[], None] = lambda: None

    @classmethod
    def of(cls, settings: DatabaseSettings, schema: str) -> Self:
        """The database that a service's settings name."""
        return cls(
            settings.database_url,
            settings.platform_database_url,
            schema=schema,
            connections=settings.database_connections,
        )

    async def start(self) -> None:
        """Connect; Unavailable if the server does not answer."""
        try:
            for name, url in self._urls.items():
                self._pools[name] = await asyncpg.create_pool(
                    url.get_secret_value(),
                    min_size=1,
                    max_size=self._connections,
                    init=_json_codec,
                    reset=_nothing_to_reset,
                    server_settings={"application_name": self.schema, "search_path": self.schema},
                )
        except _GONE as error:
            raise Unavailable("the database does not answer") from error

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()

    async def ping(self) -> None:
        """Return if the database answers; Unavailable if not."""
        async with self._transaction("platform", "set local app.platform_reason = 'ping'", None) as tx:
            await tx.fetchval("select 1")

    @asynccontextmanager
    async def tenant(self, tenant: TenantId) -> AsyncIterator[Transaction]:
        """A transaction that sees and writes `tenant`'s rows alone; commits on leaving without an error."""
        setting = f"set local app.tenant_id = '{TenantId(tenant)}'"
        async with self._transaction("tenant", setting, tenant) as tx:
            yield tx

    @asynccontextmanager
    async def platform(self, reason: str) -> AsyncIterator[Transaction]:
        """A transaction across all tenants, for the few jobs that need it and can say why."""
        if not _REASON.fullmatch(reason):
            raise ValueError("a platform transaction needs a short reason in lower case")
        async with self._transaction("platform", f"set local app.platform_reason = '{reason}'", None) as tx:
            yield tx

    @asynccontextmanager
    async def _transaction(
        self, role: str, setting: str, tenant: TenantId | None
    ) -> AsyncIterator[Transaction]:
        with _tracer.start_as_current_span(f"db {self.schema}", attributes={"db.role": role}):
            async with self._acquire(role) as connection:
                tx = Transaction(connection, self.schema, tenant)
                try:
                    # One round trip opens the transaction and tells it whose it is.
                    await connection.execute(f"begin; {setting}")
                    yield tx
                    announced = await tx.flush_outbox()
                    if await connection.execute("commit") != "COMMIT":
                        raise Transient("the transaction had failed and was rolled back")
                except BaseException:
                    await _roll_back(connection)
                    raise
        if announced:
            self.on_outbox()
        for callback in tx.after_commit:
            callback()

    @asynccontextmanager
    async def _acquire(self, role: str) -> AsyncIterator[asyncpg.Connection[Row]]:
        if role not in self._pools:
            raise Unavailable("the database is not connected")
        try:
            async with self._pools[role].acquire() as connection:
                yield connection  # type: ignore[misc]  # the pool's proxy has the connection's whole interface
        except _GONE as error:
            raise Unavailable("the database does not answer") from error


async def _roll_back(connection: asyncpg.Connection[Row]) -> None:
    if not connection.is_closed():
        try:
            await connection.execute("rollback")
        except (*_GONE, asyncpg.PostgresError):
            # An aborted session rolls back by itself; the pool throws the connection away.
            connection.terminate()


async def _nothing_to_reset(connection: asyncpg.Connection[Any]) -> None:
    """Every setting is `set local` and ends with its transaction, so that a round trip is saved."""


async def _json_codec(connection: asyncpg.Connection[Any]) -> None:
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
