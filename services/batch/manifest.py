"""`manifest.csv` of an archive: which photos belong together, in the sender's own words (RFC 4180).

The columns are `file` and, if wanted, `inside`, `sku` and `garment`; others are passed over. Semicolons and
tabs, as some spreadsheets write them, are understood.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Sequence

from libs.common.contracts.options import GarmentChoice
from services.batch.pairing import Row

NAME = "manifest.csv"
MANIFEST_BYTES = 1024 * 1024
MOST_ROWS = 5_000
_COLUMNS = 64
_CELL = 1_024
_SKU = 100
_DELIMITERS = ",;\t"


class ManifestRefused(Exception):
    """The manifest can't be read; the message says where and why. The archive goes on without it."""


def is_manifest(name: str) -> bool:
    """Whether an entry is a manifest by its path."""
    return name.rpartition("/")[2].casefold() == NAME


def parse_manifest(content: bytes) -> tuple[list[Row], list[str]]:
    """The rows, and what is wrong with those that were left out. ManifestRefused if it is no manifest."""
    lines = _lines(content)
    header, delimiter = _header(lines[0] if lines else "")
    problems: list[str] = []
    rows: list[Row] = []
    for line, cells in _records(lines[1:], delimiter):
        row = _row(line, cells, header)
        if isinstance(row, Row):
            rows.append(row)
        elif row:
            problems.append(row)
    return rows, problems


def _lines(content: bytes) -> list[str]:
    if len(content) > MANIFEST_BYTES:
        raise ManifestRefused(f"it is larger than {MANIFEST_BYTES:,} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ManifestRefused("it is not UTF-8 text; save it as CSV UTF-8") from None
    if any(unicodedata.category(char) == "Cc" for char in set(text) - {"\n", "\r", "\t"}):
        raise ManifestRefused("it holds control characters")
    return text.splitlines(keepends=True)


def _header(line: str) -> tuple[list[str], str]:
    """The names of the columns, and what stands between them."""
    for delimiter in _DELIMITERS:
        names = [cell.strip().casefold() for cell in _first_cells(line, delimiter)]
        if "file" in names:
            if len(set(names)) < len(names) or len(names) > _COLUMNS:
                raise ManifestRefused("line 1: a column is there twice, or there are too many")
            return names, delimiter
    raise ManifestRefused("line 1: there is no column named file")


def _first_cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error as error:
        raise ManifestRefused(f"line 1: {error}") from None


def _records(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its last line."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    for _ in range(MOST_ROWS):
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ManifestRefused(f"line {reader.line_num + 1}: {error}") from None
        if cells is None:
            return
        yield reader.line_num + 1, cells
    if reader.line_num < len(lines):
        raise ManifestRefused(f"it has more than {MOST_ROWS:,} rows")


def _row(line: int, cells: Sequence[str], header: Sequence[str]) -> Row | str | None:
    """The row, or what is wrong with it, or None for an empty line."""
    if not any(cell.strip() for cell in cells):
        return None
    if len(cells) > len(header):
        return f"line {line}: more cells than columns"
    named = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
    if not named.get("file"):
        return f"line {line}: no file"
    if any(len(cell) > _CELL for cell in named.values()) or len(named.get("sku", "")) > _SKU:
        return f"line {line}: a cell is too long"
    garment = named.get("garment", "").casefold()
    if garment and garment not in set(GarmentChoice):
        return f"line {line}: garment is none of {', '.join(GarmentChoice)}"
    return Row(
        line=line,
        file=named["file"],
        inside=named.get("inside", "" if "inside" in header else None),
        sku=named.get("sku") or None,
        garment=GarmentChoice(garment) if garment else None,
    )
