"""What an archive says of how its photos belong together, found out before the first of them is released.

It is made from the archive and the batch's options alone, so that a splitter which goes on after another was
killed comes to the same plan.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from libs.common.contracts.batch import BatchOptions, Failure
from libs.common.zip_entry import EntryDamaged, inflate_entry
from services.batch.archive import Archive, Entry, EntryCode, RangeReader, RefusedEntry
from services.batch.manifest import MANIFEST_BYTES, ManifestRefused, is_manifest, parse_manifest
from services.batch.pairing import Pairing, Row, Shot, Words, pair

_TOLD = 5
"""Problems of a manifest that are told one by one."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The entry that says what belongs together: its place in the directory, and what its paths start at.

    `problems`: of rows that were left out. `fault`: why there are no rows at all.
    """

    index: int
    folder: str
    rows: tuple[Row, ...] = ()
    problems: tuple[str, ...] = ()
    fault: Failure | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`pairs`: the entries of fronts and inside shots by their index. `fault` is that of the manifest."""

    pairing: Pairing = field(default_factory=Pairing)
    pairs: Mapping[int, Entry] = field(default_factory=dict)
    front_of: Mapping[int, int] = field(default_factory=dict)
    manifest: int | None = None
    fault: Failure | None = None
    photos: int = 0

    def inside(self, index: int) -> Entry | None:
        """The inside shot that goes into the result of this photo."""
        inside = self.pairing.inside_of.get(index)
        return None if inside is None else self.pairs[inside]

    def is_inside(self, index: int) -> bool:
        """Whether this photo goes into the result of another and has none of its own."""
        return index in self.front_of

    def described(self, index: int) -> dict[str, Any]:
        """What the row of any photo says of it."""
        pairing = self.pairing
        other = pairing.inside_of.get(index, self.front_of.get(index))
        return {
            "paired_with": None if other is None else self.pairs[other].name,
            "garment": pairing.garments.get(index),
            "sku": pairing.skus.get(index) or None,
            "note": pairing.notes.get(index),
        }


async def make_plan(archive: Archive, reader: RangeReader, options: BatchOptions) -> Plan:
    """Read the directory for names, and the manifest if there is one. Errors of the reader pass through.

    Holds the names of the archive while it works, and after that only the entries of pairs.
    """
    shots, document = await _survey(archive)
    manifest = await _read_manifest(document, archive, reader) if document else None
    rows, folder = (manifest.rows, manifest.folder) if manifest else ((), "")
    pairing = await asyncio.to_thread(pair, shots, Words(options.inside_pattern), rows, folder)
    wanted = {*pairing.inside_of, *pairing.inside_of.values()}
    pairs = (
        {entry.index: entry async for entry in _photos(archive) if entry.index in wanted} if wanted else {}
    )
    front_of = pairing.front_of()
    if manifest is None:
        return Plan(pairing, pairs, front_of, photos=len(shots))
    fault = manifest.fault or _ignored([*manifest.problems, *pairing.problems])
    return Plan(pairing, pairs, front_of, manifest.index, fault, len(shots))


async def _survey(archive: Archive) -> tuple[list[Shot], RefusedEntry | None]:
    """All photos, and the manifest: the one that lies least deep, the first of those."""
    shots: list[Shot] = []
    documents: list[RefusedEntry] = []
    async for entries in archive.entries():
        shots += [Shot(entry.index, entry.name) for entry in entries if isinstance(entry, Entry)]
        documents += [
            entry for entry in entries if isinstance(entry, RefusedEntry) and _may_be_manifest(entry)
        ]
    return shots, min(documents, key=lambda entry: entry.name.count("/"), default=None)


def _may_be_manifest(entry: RefusedEntry) -> bool:
    return entry.code is EntryCode.NOT_AN_IMAGE and is_manifest(entry.name)


async def _photos(archive: Archive) -> AsyncIterator[Entry]:
    async for entries in archive.entries():
        for entry in entries:
            if isinstance(entry, Entry):
                yield entry


async def _read_manifest(found: RefusedEntry, archive: Archive, reader: RangeReader) -> Manifest:
    folder = found.name.rpartition("/")[0]
    try:
        content = await _content(await archive.document(found.index), reader)
        rows, problems = await asyncio.to_thread(parse_manifest, content)
    except (ManifestRefused, EntryDamaged) as error:
        return Manifest(found.index, folder, fault=Failure(code="manifest_unreadable", detail=str(error)))
    return Manifest(found.index, folder, tuple(rows), tuple(problems))


async def _content(entry: Entry | None, reader: RangeReader) -> bytes:
    if entry is None or max(entry.size, entry.compressed_size) > MANIFEST_BYTES:
        raise ManifestRefused(f"it is larger than {MANIFEST_BYTES:,} bytes")
    raw = await reader.read(entry.data_offset, entry.compressed_size)
    return inflate_entry(raw, method=entry.method, size=entry.size, crc32=entry.crc32)


def _ignored(problems: list[str]) -> Failure | None:
    if not problems:
        return None
    more = len(problems) - _TOLD
    told = [*problems[:_TOLD], *([f"and {more} more"] if more > 0 else [])]
    return Failure(code="manifest_rows_ignored", detail="; ".join(told))
