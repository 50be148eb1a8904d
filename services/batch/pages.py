"""Images in portions that a message can carry: NATS takes 1 MiB by default."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from libs.common.contracts.batch import Image

PORTION_BYTES = 512 * 1024
"""Of the images as JSON; the rest of the message and the headers are small beside it."""


def parts(images: Sequence[Image], limit: int = PORTION_BYTES) -> Iterator[tuple[Image, ...]]:
    """All images in order, as few portions of up to `limit` bytes as there can be; none of none.

    An image that is larger by itself is a portion of its own.
    """
    portion: list[Image] = []
    size = 0
    for image in images:
        more = len(image.model_dump_json())
        if portion and size + more > limit:
            yield tuple(portion)
            portion, size = [], 0
        portion.append(image)
        size += more
    if portion:
        yield tuple(portion)


def first_part(images: Sequence[Image]) -> tuple[Image, ...]:
    """The portion that a reply takes."""
    return next(parts(images), ())
