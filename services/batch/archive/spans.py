"""Entries must lie side by side. Overlapping ones are how a small archive unpacks to anything.

D. Fifield, "A better zip bomb", WOOT 2019: many directory entries share one compressed kernel.
"""

from __future__ import annotations

from array import array
from itertools import pairwise

from services.batch.archive.errors import ArchiveCode, ArchiveRefused

SHORTEST_DESCRIPTOR = 12
"""Bytes of a data descriptor without its optional signature and without Zip64 (APPNOTE 4.3.9)."""


class Spans:
    """[start, end) of every entry, from its local header to the end of its data and data descriptor."""

    def __init__(self, limit: int) -> None:
        """`limit` is where the directory starts: no entry may reach over it."""
        self._limit = limit
        self._starts = array("Q")
        self._ends = array("Q")

    def add(self, start: int, end: int) -> None:
        """Raises ArchiveRefused(overlapping_entries) for one that reaches into the directory."""
        if end > self._limit:
            raise ArchiveRefused(
                ArchiveCode.OVERLAPPING_ENTRIES, "the data of an entry reaches into the directory"
            )
        self._starts.append(start)
        self._ends.append(end)

    def check_disjoint(self) -> None:
        """Raises ArchiveRefused(overlapping_entries) unless each entry ends before the next one starts."""
        order = sorted(range(len(self._starts)), key=self._starts.__getitem__)
        for before, after in pairwise(order):
            if self._ends[before] > self._starts[after]:
                raise ArchiveRefused(
                    ArchiveCode.OVERLAPPING_ENTRIES,
                    f"entries {before} and {after} share bytes of the archive",
                )
