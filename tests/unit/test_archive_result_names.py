"""Result files keep the photos' paths, with the new extension, and never collide or escape."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.result_names import result_names


def test_the_path_stays_and_the_extension_changes() -> None:
    """Only an extension of photos is replaced; any other dot belongs to the name."""
    photos = [("a/b/Photo.JPG", "png"), ("c.heic", "jpg"), ("dress.v2", "webp"), ("写真/服.tiff", "png")]
    assert result_names(photos) == ["a/b/Photo.png", "c.jpg", "dress.v2.webp", "写真/服.png"]


def test_names_that_become_equal_are_numbered() -> None:
    """Also where only case or normal form differs, and where the number is taken already."""
    photos = ["a.jpg", "a.png", "A.webp", "a (2).jpg", "é.jpg", unicodedata.normalize("NFD", "é") + ".jpg"]
    names = result_names((photo, "png") for photo in photos)
    assert names[:4] == ["a.png", "a (2).png", "A (3).png", "a (2) (2).png"]
    assert names[5].endswith(" (2).png")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("../../etc/a.jpg", "etc/a.png"),
        ("/abs/a.jpg", "abs/a.png"),
        ("C:\\temp\\a.jpg", "temp/a.png"),
        ("a\x00b:c?.jpg", "a_b_c_.png"),
        ("con.jpg", "_con.png"),
        ("nul/x.jpg", "_nul/x.png"),
        ("folder. /x.jpg", "folder/x.png"),
        ("", "image.png"),
        ("..", "image.png"),
        ("x.png/y.jpg", "x.png_/y.png"),
        ("manifest.json/y.jpg", "manifest.json_/y.png"),
    ],
)
def test_unsafe_paths_are_made_safe(path: str, expected: str) -> None:
    """Climbing, absolute, drives, characters and names that some systems forbid, folders named like files."""
    assert result_names([(path, "png")]) == [expected]


_PATHS = st.text("aA.\\/: \x00é(2)", max_size=14) | st.text(max_size=300)


@given(st.lists(st.tuples(_PATHS, st.sampled_from(["png", "jpg", "webp"])), max_size=30))
def test_all_names_are_unique_and_stay_inside(photos: list[tuple[str, str]]) -> None:
    """For any paths at all: one name each, no two alike, none a folder of another, none outside."""
    names = result_names(photos)
    keys = [unicodedata.normalize("NFC", name).casefold() for name in names]
    assert len(set(keys)) == len(photos)
    folders = {str(parent) for key in keys for parent in PurePosixPath(key).parents}
    assert not folders & {*keys, "manifest.json"}
    for (_, extension), name in zip(photos, names, strict=True):
        parts = name.split("/")
        assert name.endswith(f".{extension}")
        assert not {"", ".", ".."} & set(parts)
        assert all(len(part.encode()) <= 255 for part in parts)


def test_thousands_of_equal_names_stay_fast() -> None:
    """Numbering does not start over for each."""
    names = result_names([("a.jpg", "png")] * 20_000)
    assert names[-1] == "a (20000).png"
