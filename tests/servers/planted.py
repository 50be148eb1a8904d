"""Secrets that tests plant, and the search for them in whatever was left behind.

Every secret that a test gives to the system is made here, so that all of them can be told by their mark.
State folders are searched when they are removed (`having.fresh_state`): logs, the broker's streams, files
of the database and the vault, objects, what a tap heard on the bus and what a collector got as traces.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

MARK = "pLaNtEd5eCrEt"
FOREIGN = frozenset({"mlserver"})
"""Folders of servers that stand for the tenants' own: these know their keys."""
_PIECE = 16 * 2**20


def planted(kind: str = "key") -> str:
    """A new secret with the mark in it. Letters and digits alone: no way of writing it down changes it."""
    return f"{kind}{MARK}{secrets.token_hex(12)}"


def leaks(folder: Path) -> list[str]:
    """Files below `folder` in which the mark stands, as it is or in base64; empty folders have none."""
    return [str(path.relative_to(folder)) for path in sorted(_files(folder)) if _holds(path, _forms(MARK))]


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if FOREIGN.isdisjoint(path.relative_to(folder).parts) and path.is_file() and not path.is_symlink():
            yield path


def _forms(text: str) -> tuple[bytes, ...]:
    """The text, and what base64 makes of it wherever in a group of three bytes it begins."""
    plain = text.encode()
    inner = [b64encode(b"\0" * shift + plain)[(shift * 4 + 2) // 3 :] for shift in range(3)]
    return (plain, *(form.rstrip(b"=")[1:-2] for form in inner))


def _holds(path: Path, forms: tuple[bytes, ...]) -> bool:
    longest = max(map(len, forms))
    try:
        with path.open("rb") as file:
            rest = b""
            while piece := file.read(_PIECE):
                if any(form in rest + piece for form in forms):
                    return True
                rest = piece[-longest:]
    except FileNotFoundError:  # a server has just removed it
        return False
    return False
