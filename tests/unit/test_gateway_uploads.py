"""Uploads: what is taken, what is refused, and that nothing is held."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Message

from libs.common.errors import Invalid, Refusal
from services.gateway.errors import MalformedBody, NotAnImage, TooLarge, UnsupportedMedia
from services.gateway.uploads import BLOCK, Taken, clean_name, receive

ZIP = Taken(("application/zip",), 1_000_000)
PHOTO = Taken(("image/*",), 1_000_000, picture=True)
JPEG = b"\xff\xd8\xff" + b"x" * 600
FORM_TYPE = "multipart/form-data; boundary=b"


class Store:
    """A sink that remembers."""

    def __init__(self) -> None:
        self.content = b""
        self.largest = 0

    async def __call__(self, content: AsyncIterator[bytes]) -> int:
        async for block in content:
            self.largest = max(self.largest, len(block))
            self.content += block
        return len(self.content)


def request(content_type: str, *chunks: bytes, gone: bool = False, length: str = "") -> Request:
    """A request whose body comes in these chunks; `gone`: the sender goes away after them."""
    messages: list[Message] = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
    messages.append({"type": "http.disconnect"} if gone else {"type": "http.request", "body": b""})

    async def receive_next() -> Message:
        return messages.pop(0)

    raw = {"content-type": content_type, "content-length": length}
    encoded = [(name.encode(), value.encode()) for name, value in raw.items() if value]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": encoded}, receive_next)


def part(disposition: str, content: bytes) -> bytes:
    return f"--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + content + b"\r\n"


FILE = part('name="file"; filename="C:\\\\shoot\\\\a.zip"', b"PK content")
OPTIONS = part('name="options"', b'{"size": 100}')
END = b"--b--\r\n"


async def test_a_raw_body_is_stored_counted_and_hashed() -> None:
    """As it is."""
    store, counted = Store(), list[int]()
    received = await receive(request("application/zip", b"PK", b"more"), ZIP, store, counted.append)
    assert store.content == b"PKmore"
    assert (received.size, sum(counted)) == (6, 6)
    assert received.sha256 == hashlib.sha256(b"PKmore").hexdigest()


@pytest.mark.parametrize("body", [FILE + OPTIONS + END, OPTIONS + FILE + END])
async def test_a_form_has_its_options_before_or_after_the_file(body: bytes) -> None:
    """The file is the same, and so is its fingerprint."""
    store = Store()
    received = await receive(request(FORM_TYPE, body), ZIP, store, lambda _: None)
    assert store.content == b"PK content"
    assert received.options == {"size": 100}
    assert received.name == "a.zip"


async def test_small_reads_reach_the_store_in_blocks() -> None:
    """Of about a MiB, and never much more."""
    store = Store()
    taken = Taken(("application/zip",), 10 * BLOCK)
    await receive(request("application/zip", *[b"x" * 65_536] * 80), taken, store, lambda _: None)
    assert len(store.content) == 80 * 65_536
    assert BLOCK <= store.largest < BLOCK + 65_536


@pytest.mark.parametrize(
    ("sent", "taken", "refusal"),
    [
        (request("application/zip"), ZIP, MalformedBody),
        (request("text/plain", b"x"), ZIP, UnsupportedMedia),
        (request("image/jpeg", b"x"), ZIP, UnsupportedMedia),
        (request("application/zip", b"x" * 1_000_001), ZIP, TooLarge),
        (request("application/zip", length="9999999999"), ZIP, TooLarge),
        (request("image/jpeg", b"hello" * 200), PHOTO, NotAnImage),
        (request(FORM_TYPE, OPTIONS + END), ZIP, MalformedBody),
        (request(FORM_TYPE, FILE + FILE + END), ZIP, MalformedBody),
        (request(FORM_TYPE, FILE), ZIP, MalformedBody),
        (request(FORM_TYPE, part('name="photo"', b"x") + END), ZIP, Invalid),
        (request(FORM_TYPE, FILE + part('name="options"', b"{") + END), ZIP, MalformedBody),
        (request(FORM_TYPE, FILE + part('name="options"', b"[]") + END), ZIP, MalformedBody),
        (request(FORM_TYPE, FILE + part('name="options"', b" " * 70_000) + END), ZIP, TooLarge),
        (request(FORM_TYPE, FILE + part('name="options"', b"[" * 60_000) + END), ZIP, MalformedBody),
    ],
)
async def test_what_does_not_fit_is_refused(sent: Request, taken: Taken, refusal: type[Refusal]) -> None:
    """By a refusal of its own."""
    with pytest.raises(refusal):
        await receive(sent, taken, Store(), lambda _: None)


async def test_a_photo_is_taken_for_what_it_is() -> None:
    """By its first bytes, whatever its type says."""
    store = Store()
    await receive(request("image/png", JPEG[:1], JPEG[1:]), PHOTO, store, lambda _: None)
    assert store.content == JPEG


async def test_a_sender_that_goes_away_is_no_end_of_the_file() -> None:
    """Half a file must not look like a whole one to the store."""
    with pytest.raises(ClientDisconnect):
        await receive(request("application/zip", b"PK", gone=True), ZIP, Store(), lambda _: None)


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("a/b\\c.jpg", "c.jpg"),
        ("x\x00\n.jpg", "x.jpg"),
        ("..", ".."),
        ("", None),
        ("/", None),
        ("n" * 300, "n" * 255),
    ],
)
def test_names_lose_folders_and_control_characters(name: str, clean: str | None) -> None:
    """What the store and the results make of them is theirs to say."""
    assert clean_name(name) == clean
