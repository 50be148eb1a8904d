"""The search for planted secrets finds them: a search that finds nothing would pass every time."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

import pytest

from tests.servers.planted import leaks, planted


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("encoded", [False, True])
def test_a_planted_secret_is_found(tmp_path: Path, before: str, encoded: bool) -> None:
    """In the middle of a file, as it is or in base64 at any alignment."""
    data = f"{before}{planted()} and more".encode()
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/file").write_bytes(b"\0noise " + (b64encode(data) if encoded else data))
    assert leaks(tmp_path) == ["deep/file"]


def test_a_secret_across_two_reads_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one piece of the file ends and the next begins."""
    monkeypatch.setattr("tests.servers.planted._PIECE", 16)
    (tmp_path / "file").write_text("x" * 9 + planted())
    assert leaks(tmp_path) == ["file"]


def test_other_files_and_a_tenants_own_server_are_no_leaks(tmp_path: Path) -> None:
    """The server that stands for the tenant's account has to know the key."""
    (tmp_path / "mlserver").mkdir()
    (tmp_path / "mlserver/keys").write_text(planted())
    (tmp_path / "log").write_text("nothing here")
    assert leaks(tmp_path) == []
