"""Which photos of an archive belong together: a garment's front and the shot of its turned-out inner back.

Pure rules over names and the rows of a manifest. The same archive and options give the same pairs, however
often and from wherever they are asked for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from libs.common.contracts.options import GarmentChoice

_EXTENSION = re.compile(r"\.[^./]{1,5}$")
_WORD = re.compile(r"[^ _-]+")
_FRONT, _PLAIN = ("front",), ()


class NoteCode(StrEnum):
    """What there is to know of a photo that looks like an inside shot and is rendered all the same."""

    INSIDE_WITHOUT_FRONT = "inside_without_front"
    INSIDE_NOT_USED = "inside_not_used"

    @property
    def detail(self) -> str:
        return _DETAILS[self]


_DETAILS = {
    NoteCode.INSIDE_WITHOUT_FRONT: "By its name an inside shot, but there is no photo that it belongs to; "
    "it was rendered by itself.",
    NoteCode.INSIDE_NOT_USED: "By its name an inside shot, but its garment has another one, or none as the "
    "manifest says; it was rendered by itself.",
}


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo of an archive: its place in the directory, and its path."""

    index: int
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """What a manifest says of a photo; `inside` is None where the manifest leaves it to the names."""

    line: int
    file: str
    inside: str | None = None
    sku: str | None = None
    garment: GarmentChoice | None = None


@dataclass(slots=True)
class Pairing:
    """`inside_of`: index of the inside shot by that of its front; the rest by the index of any photo.

    `problems` says what of the manifest could not be followed.
    """

    inside_of: dict[int, int] = field(default_factory=dict)
    skus: dict[int, str] = field(default_factory=dict)
    garments: dict[int, GarmentChoice] = field(default_factory=dict)
    notes: dict[int, NoteCode] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def front_of(self) -> Mapping[int, int]:
        """Index of the front by that of its inside shot; the first one where it serves several."""
        return {inside: front for front, inside in reversed(self.inside_of.items())}


class Words:
    """The endings that say what a photo shows; `inside_pattern` is a list of them with commas between."""

    def __init__(self, inside_pattern: str) -> None:
        endings = {_words(ending) for ending in inside_pattern.split(",")} - {()}
        # "back_inside" before "inside": what is left must be the garment's name and no more.
        self._endings = sorted(endings, key=len, reverse=True)

    def inside(self, name: str) -> Stem | None:
        """What an inside shot of this name belongs to; None if its name does not say that it is one."""
        return _stem(name, self._endings)


@dataclass(frozen=True, slots=True)
class Stem:
    """A photo's path without the ending: `key` is the same for all photos of a garment."""

    key: tuple[str, ...]
    sku: str


def _stem(name: str, endings: Sequence[tuple[str, ...]]) -> Stem | None:
    """The path without the first of the endings that it has; None if it has none of them."""
    folder, _, file = name.rpartition("/")
    stem = _EXTENSION.sub("", file)
    words = list(_WORD.finditer(stem))
    keys = tuple(_folded(word.group()) for word in words)
    ending = next((ending for ending in endings if keys and keys[len(keys) - len(ending) :] == ending), None)
    if ending is None:
        return None
    rest = len(keys) - len(ending)
    # In a folder for each garment the files are called front.jpg and inside.jpg.
    sku = stem[: words[rest - 1].end()] if rest else folder.rpartition("/")[2]
    return Stem((folder, *keys[:rest]), sku)


def pair(shots: Sequence[Shot], words: Words, rows: Iterable[Row] = (), folder: str = "") -> Pairing:
    """Who belongs to whom: by the manifest's rows, whose paths start at `folder`, and else by name.

    By name, a photo that ends in one of `words` is the inside shot of the photo of its folder that has the
    same name with "front" for an ending, or with none. Case and the kind of separator do not count.
    """
    pairing = Pairing()
    told = _follow(rows, {_folded(shot.name): shot.index for shot in reversed(shots)}, folder, pairing)
    taken = told | set(pairing.inside_of.values())
    _pair_by_name([shot for shot in shots if shot.index not in taken], shots, words, told, pairing)
    return pairing


def _follow(rows: Iterable[Row], by_path: Mapping[str, int], folder: str, pairing: Pairing) -> set[int]:
    """Do as the manifest says; the photos whose inside shot, or lack of one, it decides."""
    found: dict[int, Row] = {}
    for row in rows:
        index = by_path.get(_path(folder, row.file))
        if index is None:
            pairing.problems.append(f"line {row.line}: there is no photo {_shown(row.file)}")
        elif index in found:
            pairing.problems.append(f"line {row.line}: {_shown(row.file)} has a line already")
        else:
            found[index] = row
            _describe(index, row, pairing)
    for index, row in found.items():
        if row.inside:
            _follow_inside(index, row, by_path.get(_path(folder, row.inside)), found, pairing)
    return {index for index, row in found.items() if row.inside is not None}


def _describe(index: int, row: Row, pairing: Pairing) -> None:
    if row.sku:
        pairing.skus[index] = row.sku
    if row.garment:
        pairing.garments[index] = row.garment


def _follow_inside(
    index: int, row: Row, inside: int | None, rows: Mapping[int, Row], pairing: Pairing
) -> None:
    """A photo that has an inside shot is a front, so that it can't be another's inside shot."""
    if inside is None:
        pairing.problems.append(f"line {row.line}: there is no photo {_shown(row.inside or '')}")
    elif inside == index or (inside in rows and rows[inside].inside):
        pairing.problems.append(f"line {row.line}: {_shown(row.inside or '')} is a front itself")
    else:
        pairing.inside_of[index] = inside
        if row.sku:
            pairing.skus[inside] = row.sku


def _pair_by_name(
    free: Sequence[Shot], shots: Sequence[Shot], words: Words, told: set[int], pairing: Pairing
) -> None:
    insides = [(shot, stem) for shot in free if (stem := words.inside(shot.name))]
    marked = {shot.index for shot, _ in insides} | set(pairing.inside_of.values())
    fronts = _fronts([shot for shot in shots if shot.index not in marked])
    for shot, stem in insides:
        front = fronts.get(stem.key)
        if front is None:
            pairing.notes[shot.index] = NoteCode.INSIDE_WITHOUT_FRONT
        elif front in told or front in pairing.inside_of:
            pairing.notes[shot.index] = NoteCode.INSIDE_NOT_USED
        else:
            pairing.inside_of[front] = shot.index
            pairing.skus[shot.index] = pairing.skus.setdefault(front, stem.sku)


def _fronts(shots: Iterable[Shot]) -> dict[tuple[str, ...], int]:
    """The first photo of each garment that is called front, or else the first that is called nothing."""
    plain: dict[tuple[str, ...], int] = {}
    named: dict[tuple[str, ...], int] = {}
    for shot in shots:
        if front := _stem(shot.name, [_FRONT]):
            named.setdefault(front.key, shot.index)
        elif stem := _stem(shot.name, [_PLAIN]):
            plain.setdefault(stem.key, shot.index)
    return plain | named


def _words(text: str) -> tuple[str, ...]:
    return tuple(_folded(word) for word in _WORD.findall(text))


def _folded(text: str) -> str:
    """Equal for what differs in case or normal form alone."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _path(folder: str, path: str) -> str:
    path = path.replace("\\", "/").removeprefix("./")
    return _folded(f"{folder}/{path}" if folder else path)


def _shown(path: str) -> str:
    return f"{path[:80]!r}"
