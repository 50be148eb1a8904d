"""Why an archive or one of its entries is refused.

Permanent
└── ArchiveRefused      the whole archive; `code` is an ArchiveCode
EntryRefusal            one entry, as a value, for the rest of the archive goes on; `code` is an EntryCode
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from libs.common.errors import Permanent


class ArchiveCode(StrEnum):
    """Named reasons to refuse an archive."""

    NOT_A_ZIP = "not_a_zip"
    ENCRYPTED = "encrypted"
    TOO_MANY_ENTRIES = "too_many_entries"
    TOO_LARGE_UNPACKED = "too_large_unpacked"
    RATIO_TOO_HIGH = "ratio_too_high"
    ZIP64_INCONSISTENT = "zip64_inconsistent"
    OVERLAPPING_ENTRIES = "overlapping_entries"
    DAMAGED_DIRECTORY = "damaged_directory"
    UNSUPPORTED = "unsupported"


class EntryCode(StrEnum):
    """Named reasons to refuse one entry."""

    NOT_AN_IMAGE = "not_an_image"
    NESTED_ARCHIVE = "nested_archive"
    TOO_MANY_BYTES = "too_many_bytes"
    PATH_TRAVERSAL = "path_traversal"
    SYMLINK = "symlink"
    UNSUPPORTED_METHOD = "unsupported_method"
    TRUNCATED = "truncated"
    DAMAGED = "damaged"
    EMPTY = "empty"


class ArchiveRefused(Permanent):
    """Nothing of the archive may be used."""

    def __init__(self, code: ArchiveCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class EntryRefusal:
    """Why one entry is refused."""

    code: EntryCode
    detail: str
