"""Which photos are meant, and a name for each that no other has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from libs.common.contracts.options import RenderOptions

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif"})
"""Extensions by which the photos of a folder are told from what else lies there."""


ARTEFACTS = ("alpha", "classes", "synthesized")


@dataclass(frozen=True, slots=True)
class Named:
    """A photo, and the name that its results begin with."""

    path: Path
    name: str


def find_photos(given: Iterable[Path]) -> list[Path]:
    """The given files as they are, and the pictures directly in the given folders, each once."""
    found: dict[Path, Path] = {}
    for place in given:
        for path in _pictures(place) if place.is_dir() else [place]:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def _pictures(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in PICTURES and not path.name.startswith(".") and path.is_file()
    )


class Names:
    """Gives each photo a name, so that no file of one overwrites a file of another, or a photo."""

    def __init__(self, output: Path, options: RenderOptions) -> None:
        self._output = output.resolve()
        self._endings = [options.format.extension, "verdict.json"]
        self._endings += [f"{artefact}.png" for artefact in ARTEFACTS if options.artefacts]
        self._endings += [f"{asked.name}.{asked.format.extension}" for asked in options.renditions]
        self._taken: set[str] = set()

    def of(self, photos: Sequence[Path]) -> list[Named]:
        """`coat.jpg` is `coat`, the next one of that name `coat-2`; also where names differ in case alone."""
        self._taken |= {path.name.lower() for path in photos if path.resolve().parent == self._output}
        names = {path: path.stem for path in photos if self._take(path.stem)}
        for path in photos:
            if path not in names:
                names[path] = self._numbered(path.stem)
        return [Named(path, names[path]) for path in photos]

    def _numbered(self, stem: str) -> str:
        return next(name for number in count(2) if self._take(name := f"{stem}-{number}"))

    def _take(self, name: str) -> bool:
        files = {f"{name}.{ending}".lower() for ending in self._endings}
        if files & self._taken:
            return False
        self._taken |= files
        return True
