"""Reading a ZIP of photos in place, by ranges, with nothing of it taken on trust.

`open_archive` checks the whole (errors.py names the reasons to refuse it), `Archive.entries` hands out the
pictures. Sections of APPNOTE.TXT 6.3.10 (PKWARE) are cited where each record is read.
"""

from services.batch.archive.archive import Archive, Entry, RefusedEntry, open_archive
from services.batch.archive.errors import ArchiveCode, ArchiveRefused, EntryCode
from services.batch.archive.limits import Limits
from services.batch.archive.reader import Range, RangeReader

__all__ = [
    "Archive",
    "ArchiveCode",
    "ArchiveRefused",
    "Entry",
    "EntryCode",
    "Limits",
    "Range",
    "RangeReader",
    "RefusedEntry",
    "open_archive",
]
