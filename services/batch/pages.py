"""Images and batches in portions that a message can carry: NATS takes 1 MiB by default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

from libs.common.contracts.message import Body

Item = TypeVar("Item", bound=Body)

PORTION_BYTES = 512 * 1024
"""Of the items as JSON; the rest of the message and the headers are small beside it."""


def parts(items: Sequence[Item], limit: int = PORTION_BYTES) -> Iterator[tuple[Item, ...]]:
    """All items in order, as few portions of up to `limit` bytes as there can be; none of none.

    An item that is larger by itself is a portion of its own.
    """
    portion: list[Item] = []
    size = 0
    for item in items:
        more = len(item.model_dump_json().encode())  # names need not be ASCII
        if portion and size + more > limit:
            yield tuple(portion)
            portion, size = [], 0
        portion.append(item)
        size += more
    if portion:
        yield tuple(portion)


def first_part(items: Sequence[Item]) -> tuple[Item, ...]:
    """The portion that a reply takes."""
    return next(parts(items), ())
