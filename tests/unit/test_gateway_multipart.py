"""Forms that are read while they come in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.errors import MalformedBody, TooLarge
from services.gateway.multipart import MultipartStream

TYPE = 'multipart/form-data; boundary="frontier"'


def form(*parts: tuple[str, bytes]) -> bytes:
    heads = (f"--frontier\r\nContent-Disposition: form-data; {name}\r\n\r\n".encode() for name, _ in parts)
    return b"".join(h + c + b"\r\n" for h, (_, c) in zip(heads, parts, strict=True)) + b"--frontier--\r\n"


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


async def read(body: bytes, size: int = 7) -> list[tuple[str, str | None, bytes]]:
    stream = MultipartStream(pieces(body, size), TYPE)
    return [(part.name, part.filename, await stream.read(10_000)) async for part in stream.parts()]


@given(st.binary(max_size=200), st.integers(1, 64))
@settings(max_examples=60)
async def test_content_comes_out_as_it_went_in(content: bytes, size: int) -> None:
    """Wherever the network cuts it, and whatever looks like a boundary but is none."""
    content += b"\r\n--front"
    body = form(('name="file"; filename="a.zip"', content), ('name="options"', b"{}"))
    assert await read(body, size) == [("file", "a.zip", content), ("options", None, b"{}")]


async def test_names_are_utf_8() -> None:
    """As browsers and curl send them."""
    (part,) = await read(form(('name="file"; filename="Blüte 花.jpg"', b"x")))
    assert part[1] == "Blüte 花.jpg"


async def test_a_part_that_nobody_reads_is_passed_over() -> None:
    """The next one starts where it ends."""
    stream = MultipartStream(pieces(form(('name="a"', b"1" * 50), ('name="b"', b"2")), 5), TYPE)
    assert [part.name async for part in stream.parts()] == ["a", "b"]


@pytest.mark.parametrize(
    "body", [b"", b"--frontier\r\n", form(('name="file"', b"x"))[:-8], b"no form at all", b"--other\r\n\r\nx"]
)
async def test_a_form_that_breaks_off_is_malformed(body: bytes) -> None:
    """So that half an upload is never taken for a whole one."""
    with pytest.raises(MalformedBody):
        await read(body)


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data", f"multipart/form-data; boundary={'b' * 300}"]
)
async def test_a_form_without_a_usable_boundary_is_malformed(content_type: str) -> None:
    """Refused before anything is read."""
    with pytest.raises(MalformedBody):
        MultipartStream(pieces(b"", 1), content_type)


async def test_a_small_part_that_is_not_small_is_refused() -> None:
    """Without reading it to its end."""
    stream = MultipartStream(pieces(form(('name="options"', b"x" * 5000)), 100), TYPE)
    await anext(stream.parts())
    with pytest.raises(TooLarge):
        await stream.read(1000)
