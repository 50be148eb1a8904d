"""What becomes of an uploaded object when the request that brought it does not end well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from libs.common.errors import MannequinError, Refusal
from libs.common.objects import Objects
from libs.common.telemetry import logger

_log = logger("gateway.uploads")


@asynccontextmanager
async def stored_or_gone(objects: Objects, key: str) -> AsyncIterator[None]:
    """An upload that breaks off, or is refused after it was stored, leaves no object.

    Not around what makes the object somebody's: should the outcome of that be unknown, a stray object, which
    is swept later, is better than something without its content.
    """
    try:
        yield
    except BaseException:
        await delete(objects, key)
        raise


@asynccontextmanager
async def gone_if_refused(objects: Objects, key: str) -> AsyncIterator[None]:
    """For asking the service that the object is for: only its clear refusal means that nobody wants it."""
    try:
        yield
    except Refusal:
        await delete(objects, key)
        raise


async def delete(objects: Objects, key: str) -> None:
    """Also while the request is being cancelled; an object that stays is left to the sweep."""
    await asyncio.shield(_delete(objects, key))


async def discard(content: AsyncIterator[bytes]) -> int:
    """A sink for what need not be stored again; the bytes that went by."""
    return sum([len(block) async for block in content])


async def _delete(objects: Objects, key: str) -> None:
    try:
        await objects.delete(key)
    except MannequinError as error:
        _log.warning("object_left_behind", key=key, reason=error.detail)
