"""Between calls and HTTP: what is sent, and what an answer that has been read means. No I/O on the network.

Both runners, `sync.py` and `aio.py`, are made of these.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx

from libs.client.calls import Call, Form
from libs.client.errors import ApiError, ConnectionFailed, UnexpectedAnswer, from_response

T = TypeVar("T")
Progress = Callable[[int], None]
"""Called with the number of bytes that just went by; a negative one when a try begins anew."""

PIECE = 1024 * 1024
"""Bytes of a file that are in memory at once."""


class Meter:
    """Tells `report` of the bytes that go by, and takes them back when they have to go by again."""

    def __init__(self, report: Progress | None) -> None:
        self._report = report
        self._told = 0

    def __call__(self, size: int) -> None:
        self._told += size
        if self._report:
            self._report(size)

    def again(self) -> None:
        if self._told:
            self(-self._told)


def arguments(call: Call[Any]) -> dict[str, Any]:
    """Arguments of an httpx request, but for the content of an upload.

    With the file's size, so that the API can refuse one that is too large before it is sent.
    """
    headers = dict(call.headers)
    if call.upload:
        headers["content-length"] = str(call.upload.stat().st_size)
    return {
        "method": call.method,
        "url": call.path,
        "params": dict(call.params) or None,
        "json": call.json,
        "files": _files(call.form) if call.form else None,
        "headers": headers,
    }


def _files(form: Form) -> dict[str, Any]:
    """The parts of a form; the file is a photo, which fits in memory."""
    told = (None, json.dumps(form.json).encode(), "application/json")
    return {form.part: told, "file": (form.file.name, form.file.read_bytes(), form.media_type)}


def answer(call: Call[T], response: httpx.Response, *, repeated: bool) -> T:
    """What the answer holds. ApiError, UnexpectedAnswer.

    repeated: it is not the first try, so that what a DELETE no longer finds is deleted.
    """
    if repeated and call.method == "DELETE" and response.status_code == httpx.codes.NOT_FOUND:
        return call.read(b"")
    if response.is_error:
        raise problem(response)
    try:
        if not response.is_success:
            raise ValueError
        return call.read(response.content)
    except ValueError:  # pydantic's is one
        raise UnexpectedAnswer(response.status_code, call.path) from None


def problem(response: httpx.Response) -> ApiError:
    """The error that an answer stands for whose body has been read."""
    return from_response(response.status_code, response.content, response.headers.get("retry-after"))


def lost(url: str, error: httpx.RequestError) -> ConnectionFailed:
    """The error of a request that got no whole answer."""
    unheard = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    return ConnectionFailed(url, "" if unheard else type(error).__name__)


def resuming(last_id: str | None, silence_s: float) -> Mapping[str, Any]:
    """Arguments of a request for events after `last_id`, given up after `silence_s` seconds of silence."""
    headers = {"accept": "text/event-stream"} | ({"last-event-id": last_id} if last_id else {})
    return {"headers": headers, "timeout": httpx.Timeout(10, read=silence_s)}
