"""A folder of photos as one ZIP."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from libs.client.errors import NothingToSend


def zip_folder(folder: Path, archive: Path, on_file: Callable[[Path], None] | None = None) -> Path:
    """Writes every file below `folder` into `archive`, under its path in there. NothingToSend, OSError.

    Stored, as photos are compressed already; a file at a time passes through memory in small pieces. What is
    hidden is left out, and so is `archive` itself.
    """
    own = archive.resolve()
    files = [path for path in _visible(folder) if path.resolve() != own]
    if not files:
        raise NothingToSend(f"There are no files in {folder}.")
    # Not strict: a camera without a clock dates photos to before ZIP's first year.
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED, strict_timestamps=False) as zipped:
        for path in files:
            zipped.write(path, path.relative_to(folder))
            if on_file:
                on_file(path)
    return archive


def _visible(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not hidden:
            yield path
