"""File names of results: the photo's own path with a new extension, safe and unique on every file system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_PHOTO_EXTENSION = re.compile(r"\.(jpe?g|jpe|jfif|png|webp|tiff?|avif|hei[cf]|hif)$", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\ud800-\udfff]')
_DRIVE = re.compile(r"^[A-Za-z]:")
_DEVICES = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)
_PART_BYTES = 200  # of the 255 that file systems take: room for " (2)" and the extension
_MANIFEST = "manifest.json"


def result_names(photos: Iterable[tuple[str, str]]) -> list[str]:
    """One name for each (original path, extension of a picture without its dot), in order.

    Two photos that would end up with one name, also where case does not count, become "name.png" and
    "name (2).png". No name leaves the folder it is unpacked in, is `manifest.json`, or is another's folder.
    """
    names = _UniqueNames()
    return [names.add(_safe_stem(path), extension) for path, extension in photos]


class _UniqueNames:
    """Names given so far."""

    def __init__(self) -> None:
        self._taken = {_MANIFEST}
        self._next_number: dict[str, int] = {}

    def add(self, stem: str, extension: str) -> str:
        name = f"{stem}.{extension}"
        wanted = _key(name)
        while _key(name) in self._taken:
            number = self._next_number.get(wanted, 2)
            self._next_number[wanted] = number + 1
            name = f"{stem} ({number}).{extension}"
        self._taken.add(_key(name))
        return name


def _key(name: str) -> str:
    """What a file system that ignores case and normal form takes for the same name."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _safe_stem(path: str) -> str:
    path = _DRIVE.sub("", path.replace("\\", "/"))
    *folders, file = [part for part in path.split("/") if part not in ("", ".", "..")] or ["image"]
    return "/".join([*map(_safe_folder, folders), _safe_part(_PHOTO_EXTENSION.sub("", file))])


def _safe_folder(part: str) -> str:
    """A folder's name; never one that a file could have, for a path can't be both."""
    part = _safe_part(part)
    return f"{part}_" if _PHOTO_EXTENSION.search(part) or part.casefold() == _MANIFEST else part


def _safe_part(part: str) -> str:
    part = _FORBIDDEN.sub("_", part).encode()[:_PART_BYTES].decode(errors="ignore")
    part = part.rstrip(". ") or "_"  # Windows drops dots and blanks at the end of a name
    return f"_{part}" if _DEVICES.match(part) else part
