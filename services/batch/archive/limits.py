"""How much an archive may hold, and the checks of its whole against that."""

from __future__ import annotations

from dataclasses import dataclass

from services.batch.archive.central import FLAG_ENCRYPTED, FLAG_MASKED, FLAG_STRONG_ENCRYPTION, CentralHeader
from services.batch.archive.errors import ArchiveCode, ArchiveRefused


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of an archive; sizes in bytes.

    `ratio` (unpacked to packed) counts for entries of more than `ratio_from_bytes` unpacked.
    """

    entries: int = 5_000
    unpacked_bytes: int = 8 * 2**30
    entry_bytes: int = 50_000_000
    ratio: int = 200
    ratio_from_bytes: int = 10_000_000
    directory_bytes: int = 64 * 2**20


class Tally:
    """Running check of one header after another, before anything of theirs is read."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._unpacked = 0

    def add(self, header: CentralHeader) -> None:
        """Raises ArchiveRefused once the headers so far exceed what an archive may hold."""
        _check_encryption(header)
        self._check_ratio(header)
        self._unpacked += header.size
        if self._unpacked > self._limits.unpacked_bytes:
            raise ArchiveRefused(
                ArchiveCode.TOO_LARGE_UNPACKED,
                f"more than {self._limits.unpacked_bytes:,} bytes when unpacked",
            )

    def _check_ratio(self, header: CentralHeader) -> None:
        limits = self._limits
        if header.size > limits.ratio_from_bytes and header.size > limits.ratio * header.compressed_size:
            raise ArchiveRefused(
                ArchiveCode.RATIO_TOO_HIGH,
                f"entry {header.index} claims {header.size:,} bytes from {header.compressed_size:,}",
            )


def check_count(count: int, limits: Limits) -> None:
    """Raises ArchiveRefused for an archive that announces too many entries."""
    if count > limits.entries:
        raise ArchiveRefused(
            ArchiveCode.TOO_MANY_ENTRIES, f"{count:,} entries; an archive may have {limits.entries:,}"
        )


def check_directory_size(size: int, limits: Limits) -> None:
    """Raises ArchiveRefused for a directory whose names and comments alone are a burden."""
    if size > limits.directory_bytes:
        raise ArchiveRefused(ArchiveCode.UNSUPPORTED, f"a directory of {size:,} bytes")


def _check_encryption(header: CentralHeader) -> None:
    if header.flags & (FLAG_ENCRYPTED | FLAG_STRONG_ENCRYPTION | FLAG_MASKED):
        raise ArchiveRefused(ArchiveCode.ENCRYPTED, f"entry {header.index} is encrypted")
