"""Names of entries: how they are decoded, which are unsafe, which nobody meant to send."""

from __future__ import annotations

import re
import unicodedata

_DRIVE = re.compile(r"^[A-Za-z]:")
_MAX_BYTES = 1024
_PRINTABLE_CHARS = 255
_LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini"})


def decode_name(raw: bytes, *, utf8: bool, unix: bool) -> str:
    """The name as text: UTF-8 if flagged, else code page 437 (APPNOTE D.1).

    macOS and old Unix tools write UTF-8 without the flag, so what was made there (`unix`) and is valid UTF-8
    is taken as such. Never fails: bytes that are not UTF-8 in spite of the flag become U+FFFD.
    """
    if utf8:
        return raw.decode("utf-8", errors="replace")
    if unix:
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return raw.decode("cp437")


def unsafe_reason(name: str) -> str | None:
    """Why `name` must not become a path, or None."""
    if not name:
        return "the name is empty"
    if len(name.encode()) > _MAX_BYTES:
        return f"the name is longer than {_MAX_BYTES} bytes"
    if any(unicodedata.category(char) == "Cc" for char in name):
        return "the name holds control characters"
    if "\\" in name:
        return "the name holds a backslash"
    if name.startswith("/") or _DRIVE.match(name):
        return "the name is an absolute path"
    return "the name climbs out of its folder" if ".." in name.split("/") else None


def is_passed_over(name: str) -> bool:
    """Whether the entry is a folder, hidden, or what an operating system drops beside photos."""
    return name.endswith("/") or any(_is_litter(part) for part in name.split("/"))


def printable(name: str) -> str:
    """`name` fit for a manifest, a log and a database: short and without control characters."""
    shown = "".join(
        "\ufffd" if unicodedata.category(char) == "Cc" else char for char in name[:_PRINTABLE_CHARS]
    )
    return shown if len(name) <= _PRINTABLE_CHARS else f"{shown}…"


def _is_litter(part: str) -> bool:
    return (part.startswith(".") and part not in (".", "..")) or part.casefold() in _LITTER
