"""Everything of a tenant as one ZIP, made while it is sent: a page of rows or a block of an object in memory.

    data/<service>/<table>.jsonl    a row a line
    objects/…                       every stored object under its own key
    index.json                      last, as it knows every other file by its size and checksum

What goes wrong midway breaks the stream: a ZIP without its directory, which no program takes for a whole one.
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import stat
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import IO, Any

from stream_zip import ZIP_64, ZIP_AUTO, async_stream_zip

from libs.common.contracts.erasure import EXPORTS, ExportedRows
from libs.common.contracts.ids import TenantId
from libs.common.db import Database
from libs.common.export import page
from libs.common.objects import Objects, Stored, tenant_key
from libs.common.telemetry import logger

KIND = "mannequin.export.v1"
INDEX = "index.json"
_MODE = stat.S_IFREG | 0o600
_BLOCK = 512 * 1024
_log = logger("gateway.export")
Fetch = Callable[[str | None], Awaitable[ExportedRows]]
"""A page of one service's rows from a cursor on."""
Ask = Callable[[Any], Awaitable[ExportedRows]]
"""Asks another service for the tenant."""


class Index:
    """What stands in `index.json`, kept in a file of this machine until it is sent."""

    def __init__(self, tenant: TenantId, made_at: datetime) -> None:
        self._head = {"kind": KIND, "tenant_id": tenant, "made_at": made_at.isoformat()}
        self._lines: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the index
        self.files = 0

    def add(self, path: str, media_type: str, counted: Counted, **known: Any) -> None:
        """A file that was sent whole."""
        told = {
            "path": path,
            "media_type": media_type,
            "size": counted.size,
            "sha256": counted.sha256.hexdigest(),
            **known,
        }
        self._lines.write(json.dumps(told, ensure_ascii=False).encode() + b"\n")
        self.files += 1

    async def content(self) -> AsyncIterator[bytes]:
        """The JSON document, in pieces."""
        self._lines.seek(0)
        yield json.dumps(self._head, ensure_ascii=False).encode()[:-1] + b', "files": [\n'
        for number, line in enumerate(self._lines):
            yield (b",\n" if number else b"") + line.rstrip()
        yield b"\n]}\n"

    def close(self) -> None:
        self._lines.close()


class Counted:
    """Bytes on their way: how many, their checksum, and how many lines there were."""

    def __init__(self) -> None:
        self.size = 0
        self.lines = 0
        self.sha256 = hashlib.sha256()

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            self.size += len(piece)
            self.lines += piece.count(b"\n")
            self.sha256.update(piece)
            yield piece


class Export:
    """One tenant's archive. ask: see Ask."""

    def __init__(self, tenant: TenantId, ask: Ask, database: Database, objects: Objects) -> None:
        self._tenant = tenant
        self._ask = ask
        self._database = database
        self._objects = objects
        self._made_at = datetime.now(UTC)

    async def stream(self) -> AsyncIterator[bytes]:
        """The bytes of the archive. Whatever goes wrong is logged, and ends it before its directory."""
        index = Index(self._tenant, self._made_at)
        try:
            async for block in async_stream_zip(self._files(index), chunk_size=_BLOCK):
                yield block
            _log.info("tenant_exported", files=index.files)
        except Exception as error:
            _log.error("export_broken", files=index.files, reason=f"{type(error).__name__}: {error}")
            raise
        finally:
            index.close()

    async def _files(self, index: Index) -> AsyncIterator[Any]:
        for service, fetch in self._sources():
            async for table, lines in _tables(fetch):
                path, counted = f"data/{service}/{table}.jsonl", Counted()
                yield path, self._made_at, _MODE, ZIP_64, counted.through(lines)
                known = {"service": service, "table": table, "count": counted.lines}
                index.add(path, "application/jsonl", counted, **known)
        async for slice_ in self._objects.list_prefix(tenant_key(self._tenant, "")):
            for stored in slice_:
                path, counted = _path(self._tenant, stored), Counted()
                pieces = counted.through(self._objects.stream(stored.key))
                yield path, self._made_at, _MODE, ZIP_AUTO(stored.size, level=0), pieces
                index.add(path, _media_type(path), counted, object=stored.key)
        yield INDEX, self._made_at, _MODE, ZIP_64, index.content()

    def _sources(self) -> list[tuple[str, Fetch]]:
        others = [(query.service, self._fetch(query)) for query in EXPORTS]
        return [*others, (self._database.schema, self._own)]

    def _fetch(self, query: Any) -> Fetch:
        async def fetch(cursor: str | None) -> ExportedRows:
            return await self._ask(query(cursor=cursor))

        return fetch

    async def _own(self, cursor: str | None) -> ExportedRows:
        async with self._database.tenant(self._tenant) as tx:
            return await page(tx, cursor)


async def _tables(fetch: Fetch) -> AsyncIterator[tuple[str, AsyncIterator[bytes]]]:
    """Tables that have rows, each with its lines, which have to be read before the next one is asked for."""
    pages = _Pages(fetch)
    await pages.turn()
    while pages.present.table:
        yield pages.present.table, pages.lines()


class _Pages:
    """The page that is read now, over all tables of a service in turn."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.present = ExportedRows(table="", rows=(), next_cursor=None)

    async def turn(self) -> None:
        self.present = await self._fetch(self.present.next_cursor)

    async def lines(self) -> AsyncIterator[bytes]:
        """All rows of the present page's table; afterwards the next table's first page is the present one."""
        table = self.present.table
        while self.present.table == table:
            for row in self.present.rows:
                yield json.dumps(row, ensure_ascii=False).encode() + b"\n"
            if self.present.next_cursor is None:
                self.present = ExportedRows(table="", rows=())
            else:
                await self.turn()


def _path(tenant: TenantId, stored: Stored) -> str:
    return f"objects/{stored.key.removeprefix(tenant_key(tenant, ''))}"


def _media_type(path: str) -> str:
    """By the name; that of a photo is in its row, as an upload has none."""
    return mimetypes.guess_type(path)[0] or "application/octet-stream"
