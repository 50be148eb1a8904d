"""multipart/form-data (RFC 7578) as it comes in: one network read is in memory, nothing on disk."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from services.gateway.errors import MalformedBody, TooLarge


@dataclass(frozen=True, slots=True)
class Part:
    """The head of a part."""

    name: str
    filename: str | None


class _End:
    """A part is over."""


_Event = Part | bytes | _End


class MultipartStream:
    """The parts of a body, in order. Each must be read to its end before the next."""

    def __init__(self, chunks: AsyncIterator[bytes], content_type: str) -> None:
        self._chunks = chunks
        self._events: deque[_Event] = deque()
        self._field, self._value = bytearray(), bytearray()
        self._headers: dict[str, str] = {}
        self._complete = False
        self._parser = self._make_parser(content_type)

    async def parts(self) -> AsyncIterator[Part]:
        """MalformedBody if the body breaks off or is not multipart."""
        while (event := await self._next()) is not None:
            if isinstance(event, Part):
                yield event

    async def data(self) -> AsyncIterator[bytes]:
        """The content of the part that was given last."""
        while (event := await self._next()) is not None:
            if isinstance(event, bytes):
                yield event
            else:
                return

    async def read(self, limit: int) -> bytes:
        """The whole content of the part that was given last. TooLarge if it is more than `limit` bytes."""
        content = bytearray()
        async for piece in self.data():
            content += piece
            if len(content) > limit:
                raise TooLarge(limit)
        return bytes(content)

    async def _next(self) -> _Event | None:
        while not self._events:
            chunk = await anext(self._chunks, None)
            if chunk is None:
                if not self._complete:
                    raise MalformedBody("The multipart body ends before its last boundary.")
                return None
            self._feed(chunk)
        return self._events.popleft()

    def _feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise MalformedBody("The body is not well-formed multipart/form-data.") from error

    def _make_parser(self, content_type: str) -> MultipartParser:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise MalformedBody("The Content-Type names no boundary.", field="Content-Type")
        try:
            return MultipartParser(
                boundary,
                {
                    "on_header_field": lambda data, start, end: self._field.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._begin_part,
                    "on_part_data": lambda data, start, end: self._events.append(bytes(data[start:end])),
                    "on_part_end": lambda: self._events.append(_End()),
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise MalformedBody("The Content-Type names an unusable boundary.") from error

    def _end_header(self) -> None:
        self._headers[self._field.decode("latin-1").lower()] = self._value.decode("latin-1")
        self._field.clear()
        self._value.clear()

    def _begin_part(self) -> None:
        _, parameters = parse_options_header(self._headers.get("content-disposition", ""))
        self._headers = {}
        filename = parameters.get(b"filename")
        self._events.append(
            Part(
                name=_text(parameters.get(b"name", b"")),
                filename=_text(filename) if filename is not None else None,
            )
        )

    def _end(self) -> None:
        self._complete = True


def _text(raw: bytes) -> str:
    """Names come as UTF-8 (RFC 7578, 5.1)."""
    return raw.decode("utf-8", "replace")
