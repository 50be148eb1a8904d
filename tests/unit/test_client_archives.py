"""A folder as a ZIP."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from libs.client.archives import zip_folder
from libs.client.errors import NothingToSend


def test_a_folder_becomes_a_zip_of_what_is_seen_in_it(tmp_path: Path) -> None:
    """Below it too, under its own paths and not compressed again; hidden things stay at home."""
    for name in ("b.jpg", "summer/a.jpg", ".DS_Store", ".git/config", "summer/.hidden"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    os.utime(tmp_path / "b.jpg", (0, 0))  # 1970: before ZIP's first year
    seen: list[Path] = []
    with zipfile.ZipFile(zip_folder(tmp_path, tmp_path / "photos.zip", seen.append)) as archive:
        assert archive.namelist() == ["b.jpg", "summer/a.jpg"]
        assert archive.read("summer/a.jpg") == b"summer/a.jpg"
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert len(seen) == 2


def test_an_empty_folder_is_nothing_to_send(tmp_path: Path) -> None:
    """Said before anything is uploaded."""
    with pytest.raises(NothingToSend):
        zip_folder(tmp_path, tmp_path / "photos.zip")
