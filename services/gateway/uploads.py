"""Uploads on their way to object storage: streamed, counted and hashed, never held as a whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from libs.common.errors import Invalid
from libs.common.media import SNIFF_BYTES, sniff
from libs.common.quotas import archive_too_large
from services.gateway.errors import MalformedBody, NotAnImage, TooLarge, UnsupportedMedia
from services.gateway.multipart import MultipartStream, Part

MULTIPART = "multipart/form-data"
OPTIONS_BYTES = 64 * 1024
BLOCK = 1024 * 1024
_NAME_LENGTH = 255

Sink = Callable[[AsyncIterator[bytes]], Awaitable[int]]
"""Takes the content of the file; bytes stored."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What an endpoint takes. media_types: of a raw body; a trailing `/*` stands for all subtypes.

    picture: refuse at once what is no picture by its first bytes. json_part: the form's part beside `file`.
    allowed: bytes of the file that the tenant's plan takes; None: as many as `limit` does.
    """

    media_types: tuple[str, ...]
    limit: int
    picture: bool = False
    json_part: str = "options"
    allowed: int | None = None

    def check(self, size: int, slack: int = 0) -> None:
        """TooLarge for the platform, NotBought for the plan; `slack`: bytes that may not be the file's."""
        if size > self.limit + slack:
            raise TooLarge(self.limit)
        if self.allowed is not None and size > self.allowed + slack:
            raise archive_too_large(self.allowed, size)

    def fits(self, media_type: str) -> bool:
        family = media_type.partition("/")[0] + "/*"
        return not media_type or media_type in self.media_types or family in self.media_types


@dataclass(slots=True)
class Received:
    """An upload that is in storage. sha256 (hex) is of the file; name as the sender calls it, if it does.

    options: what stood in the form's JSON part.
    """

    size: int = 0
    sha256: str = ""
    name: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


async def receive(request: Request, taken: Taken, sink: Sink, count: Callable[[int], None]) -> Received:
    """Bring the file of the request to `sink`; `count` is told of the bytes that go by.

    TooLarge, NotBought, UnsupportedMedia, MalformedBody, NotAnImage; ClientDisconnect if the sender is
    gone.
    """
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    _check_length(request, taken)
    upload = _Upload(taken, sink, count)
    if media_type == MULTIPART:
        return await upload.multipart(MultipartStream(request.stream(), content_type))
    if not taken.fits(media_type):
        raise UnsupportedMedia(media_type, (MULTIPART, *taken.media_types))
    return await upload.file(request.stream())


def is_form(request: Request) -> bool:
    """Whether more options may come inside the body."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == MULTIPART


class _Upload:
    """One upload."""

    def __init__(self, taken: Taken, sink: Sink, count: Callable[[int], None]) -> None:
        self._taken = taken
        self._sink = sink
        self._count = count
        self._received = Received()

    async def file(self, chunks: AsyncIterator[bytes]) -> Received:
        """A body that is nothing but the file."""
        digest = hashlib.sha256()
        self._received.size = await self._sink(self._watched(chunks, digest.update))
        self._received.sha256 = digest.hexdigest()
        if not self._received.size:
            raise MalformedBody("The file is empty.", field="file")
        return self._received

    async def multipart(self, stream: MultipartStream) -> Received:
        """A form with a `file` and, before or after it, a part of JSON."""
        seen: set[str] = set()
        async for part in stream.parts():
            if part.name in seen:
                raise MalformedBody("The part is there twice.", field=part.name)
            seen.add(part.name)
            await self._take(part, stream)
        if "file" not in seen:
            raise MalformedBody("The form has no part named file.", field="file")
        return self._received

    async def _take(self, part: Part, stream: MultipartStream) -> None:
        if part.name == "file":
            self._received.name = clean_name(part.filename)
            await self.file(stream.data())
        elif part.name == self._taken.json_part:
            self._received.options = _options(part.name, await stream.read(OPTIONS_BYTES))
        else:
            raise Invalid(
                f"There is no part {part.name!r} here: send file and {self._taken.json_part}.",
                code="unknown_parameter",
                field=part.name,
            )

    async def _watched(
        self, chunks: AsyncIterator[bytes], digest: Callable[[bytes], None]
    ) -> AsyncIterator[bytes]:
        size = 0
        async for block in _blocks(chunks):
            if not size and self._taken.picture and sniff(block[:SNIFF_BYTES]) is None:
                raise NotAnImage
            size += len(block)
            self._taken.check(size)
            digest(block)
            self._count(len(block))
            yield block


def clean_name(name: str | None) -> str | None:
    """A file name without folders and control characters; None if nothing is left."""
    if name is None:
        return None
    base = name.replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in base if char.isprintable())[:_NAME_LENGTH].strip() or None


def _check_length(request: Request, taken: Taken) -> None:
    """Refuses early what says itself that it is too large; a form may be a little larger than its file."""
    length = request.headers.get("content-length", "")
    if length.isdigit():
        taken.check(int(length), 2 * OPTIONS_BYTES)


def _options(part: str, raw: bytes) -> Mapping[str, Any]:
    try:
        options = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise MalformedBody(f"The part {part} is not valid JSON.", field=part) from error
    if not isinstance(options, dict):
        raise MalformedBody(f"The part {part} is not a JSON object.", field=part)
    return options


async def _blocks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of about a MiB: network reads are small, and each costs a call of the
    storage.
    """
    block = bytearray()
    async for chunk in chunks:
        block += chunk
        if len(block) >= BLOCK:
            yield bytes(block)
            block = bytearray()
    if block:
        yield bytes(block)
