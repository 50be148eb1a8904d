"""`manifest.csv`: what is understood, and that nothing else does any harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.options import GarmentChoice
from services.batch.manifest import MANIFEST_BYTES, MOST_ROWS, ManifestRefused, is_manifest, parse_manifest
from services.batch.pairing import Row


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_rows_are_read_as_spreadsheets_write_them(delimiter: str, newline: str) -> None:
    """With a mark at the beginning, columns in any order, others beside them, and empty lines."""
    lines = [
        ["SKU", "File", "Inside", "Note", "garment"],
        ["K1", "a.jpg", "b.jpg", '"x, ""y"""', "Dress"],
        [""],
        ["", '"c;d,.jpg"', "", "", ""],
    ]
    text = newline.join(delimiter.join(cells) for cells in lines)
    rows, problems = parse_manifest(b"\xef\xbb\xbf" + text.encode())
    assert rows == [
        Row(2, "a.jpg", inside="b.jpg", sku="K1", garment=GarmentChoice.DRESS),
        Row(4, "c;d,.jpg", inside=""),
    ]
    assert not problems


def test_a_missing_column_is_not_an_empty_cell() -> None:
    """Nothing is said of inside shots then."""
    assert parse_manifest(b"file\na.jpg")[0] == [Row(2, "a.jpg")]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no column named file"),
        (b"name,inside\na,b", "no column named file"),
        (b"file,file\na,b", "a column is there twice"),
        (b"file\n" + b"a.jpg\n" * (MOST_ROWS + 1), "rows"),
        (b"file\n" + b"x" * MANIFEST_BYTES, "larger"),
        (b"file\n\xff\xfe", "UTF-8"),
        ("file\na.jpg".encode("utf-16"), "UTF-8"),
        (b"file\na\x00b", "control characters"),
        (b'file\n"a" b', "line 2"),
        (b'file\n"never closed\n\n', "line"),
        (b'file\n"' + b"a" * 200_000 + b'"', "line 2"),
        (b"file" + b",x" * 100, "too many"),
        (b"file," + b"x" * 140_000, "line 1"),
        (b"file" + b",".join(b"c%d" % n for n in range(100)), "no column"),
    ],
)
def test_what_is_no_manifest_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    """And with the line, where there is one."""
    with pytest.raises(ManifestRefused, match=reason):
        parse_manifest(content)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.jpg,b.jpg,K,dress,more", "more cells"),
        (",b.jpg,K,dress", "no file"),
        ("a.jpg,b.jpg,K,hat", "garment is none of"),
        (f"a.jpg,b.jpg,{'K' * 101},dress", "too long"),
        (f"{'a' * 2000},b.jpg,K,dress", "too long"),
    ],
)
def test_a_row_that_does_not_fit_is_left_out_by_name(row: str, reason: str) -> None:
    """The others count."""
    rows, (problem,) = parse_manifest(f"file,inside,sku,garment\n{row}\nz.jpg,,,".encode())
    assert problem.startswith("line 2: ")
    assert reason in problem
    assert [row.file for row in rows] == ["z.jpg"]


def test_as_many_rows_as_an_archive_can_hold_are_taken() -> None:
    """And not one more, which is tested above."""
    assert len(parse_manifest(b"file\n" + b"a.jpg\n" * MOST_ROWS)[0]) == MOST_ROWS


@given(st.binary(max_size=300) | st.text('file,inside;"\n\r\t a=', max_size=80).map(str.encode))
def test_any_content_is_rows_or_a_reason(content: bytes) -> None:
    """Never another error."""
    for given_content in (content, b"file,inside\n" + content):
        try:
            rows, problems = parse_manifest(given_content)
        except ManifestRefused:
            continue
        assert all(row.file for row in rows)
        assert all(problem.startswith("line ") for problem in problems)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("manifest.csv", True), ("a/Manifest.CSV", True), ("my-manifest.csv", False), ("manifest.csv/a", False)],
)
def test_a_manifest_is_known_by_its_name(name: str, expected: bool) -> None:
    """In any folder."""
    assert is_manifest(name) is expected
