"""The seam to the bytes of an archive, wherever it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Range = tuple[int, int]
"""(start, length) in bytes."""


class RangeReader(Protocol):
    """Random access to one immutable object.

    Every range asked for lies inside the object and exactly its length comes back; a storage that can't do
    that raises its own error, which passes through the archive unchanged. `read_many` answers in the order
    asked and may fetch neighbours together or all of them at once.
    """

    @property
    def size(self) -> int: ...

    async def read(self, start: int, length: int) -> bytes: ...

    async def read_many(self, ranges: Sequence[Range]) -> list[bytes]: ...
