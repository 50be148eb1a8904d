"""Object storage through obstore (https://developmentseed.org/obstore/): a local folder, S3, GCS or Azure.

Keys are `tenants/<tenant>/…`, so that erasing a tenant is erasing a prefix.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url
from pydantic import SecretStr

from libs.common.contracts.ids import TenantId
from libs.common.errors import NotFound, Unavailable

PART = 8 * 1024 * 1024
"""Bytes of one part of a streamed upload; two of them are in memory at most."""
SLICE = 1000
"""Objects that are listed, and removed, at a time."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What is known of an object: bytes, and the store's entity tag if it has one."""

    key: str
    size: int
    etag: str | None = None


def tenant_key(tenant: TenantId, *parts: str) -> str:
    """The key of one of a tenant's objects."""
    return "/".join(("tenants", tenant, *parts))


class Objects:
    """The object store of `url`: file:///folder, s3://bucket/prefix, gs://…, az://…"""

    def __init__(self, url: str | SecretStr) -> None:
        given = url.get_secret_value() if isinstance(url, SecretStr) else url
        self._store = _open(given)
        parts = urlsplit(given)
        self._folder = Path(parts.path) if parts.scheme == "file" else None

    async def ping(self) -> None:
        """Return if the store answers; Unavailable if not."""
        try:
            await obstore.list_with_delimiter_async(self._store, "tenants")
        except (BaseError, OSError) as error:
            raise Unavailable("the object storage does not answer") from error

    async def put(self, key: str, data: bytes) -> None:
        await self._call(key, obstore.put_async(self._store, key, data))

    async def put_stream(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        """Store a stream as it comes, in parts; the object appears when the stream ends. Bytes stored."""
        size = 0
        try:
            async with obstore.open_writer_async(
                self._store, key, buffer_size=PART, max_concurrency=1
            ) as writer:
                async for chunk in chunks:
                    size += len(chunk)
                    await writer.write(chunk)
        except (BaseError, OSError) as error:
            raise Unavailable("the object storage does not answer") from error
        return size

    async def read(self, key: str) -> bytes:
        """The whole object; NotFound if there is none."""
        result = await self._call(key, obstore.get_async(self._store, key))
        return bytes(await self._call(key, result.bytes_async()))

    async def read_range(self, key: str, start: int, length: int) -> bytes:
        """`length` bytes from `start` (fewer at the object's end)."""
        if length == 0:
            return b""
        return bytes(
            await self._call(key, obstore.get_range_async(self._store, key, start=start, length=length))
        )

    async def read_ranges(self, key: str, ranges: Sequence[tuple[int, int]]) -> list[bytes]:
        """Many (start, length) ranges; near ones are fetched together."""
        parts = await self._call(
            key,
            obstore.get_ranges_async(
                self._store,
                key,
                starts=[start for start, _ in ranges],
                lengths=[length for _, length in ranges],
                coalesce=65_536,
            ),
        )
        return [bytes(part) for part in parts]

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The object's bytes [start, end) in pieces of about 1 MiB."""
        options: Any = {"range": (start, end)} if end is not None else {"range": {"offset": start}}
        if (start, end) == (0, None):
            options = None  # no range of an empty object is a valid one
        result = await self._call(key, obstore.get_async(self._store, key, options=options))
        async for piece in result.stream(min_chunk_size=1024 * 1024):
            yield bytes(piece)

    async def head(self, key: str) -> Stored:
        """NotFound if there is no such object."""
        meta = await self._call(key, obstore.head_async(self._store, key))
        return Stored(key=key, size=meta["size"], etag=meta["e_tag"])

    async def delete(self, *keys: str) -> None:
        """Remove objects; those that are not there are fine."""
        for key in keys:
            try:
                await obstore.delete_async(self._store, key)
            except FileNotFoundError:
                continue
            except (BaseError, OSError) as error:
                raise Unavailable("the object storage does not answer") from error

    async def list_prefix(self, prefix: str) -> AsyncIterator[Sequence[Stored]]:
        """All objects below `prefix`, which ends with a slash, in slices of at most `SLICE`."""
        try:
            async for slice_ in obstore.list(self._store, prefix.rstrip("/"), chunk_size=SLICE):
                yield [Stored(meta["path"], meta["size"], meta["e_tag"]) for meta in slice_]
        except (BaseError, OSError) as error:
            raise Unavailable("the object storage does not answer") from error

    async def folders(self, prefix: str) -> list[str]:
        """Names of the folders right below `prefix`, which ends with a slash."""
        try:
            found = await obstore.list_with_delimiter_async(self._store, prefix.rstrip("/"))
        except FileNotFoundError:
            return []
        except (BaseError, OSError) as error:
            raise Unavailable("the object storage does not answer") from error
        return [path.rstrip("/").rpartition("/")[2] for path in found["common_prefixes"]]

    async def delete_prefix(self, prefix: str) -> int:
        """Remove all objects below `prefix`, slice by slice, so that it can be gone on with; how many."""
        removed = 0
        async for slice_ in self.list_prefix(prefix):
            keys = [stored.key for stored in slice_]
            try:
                await obstore.delete_async(self._store, keys)
            except FileNotFoundError:  # another instance is at it
                await self.delete(*keys)
            except (BaseError, OSError) as error:
                raise Unavailable("the object storage does not answer") from error
            removed += len(keys)
        if self._folder is not None:
            # Empty folders would still name the tenant, and parts of broken uploads are not listed.
            await asyncio.to_thread(shutil.rmtree, self._folder / prefix, ignore_errors=True)
        return removed

    async def _call(self, key: str, awaitable: Any) -> Any:
        try:
            return await awaitable
        except FileNotFoundError as error:
            raise NotFound(f"there is no object {key}") from error
        except (BaseError, OSError) as error:
            raise Unavailable("the object storage does not answer") from error


def _open(url: str) -> ObjectStore:
    parts = urlsplit(url)
    if parts.scheme == "file":
        Path(parts.path).mkdir(parents=True, exist_ok=True)
        return LocalStore(parts.path, mkdir=True)
    return from_url(url)
