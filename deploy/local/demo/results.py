"""What the demonstration leaves in its folder: the results, their ZIP, and the contact sheet."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.local.demo.contact_sheet import Pair, write_contact_sheet
from libs.client.models import Image

SHEET = "contact-sheet.jpg"
ARCHIVE = "results.zip"
PICTURES = "results"


def unpack(out: Path) -> dict[str, Path]:
    """Puts what is in the results' ZIP into a folder of its own; the files by the id of their image.

    Only that folder is emptied: other things may lie beside it. BadZipFile.
    """
    folder = out / PICTURES
    shutil.rmtree(folder, ignore_errors=True)
    with zipfile.ZipFile(out / ARCHIVE) as archive:
        archive.extractall(folder)
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return {image["id"]: folder / image["file"] for image in manifest["images"] if image.get("file")}


def missing(images: Sequence[Image], files: Mapping[str, Path], names: frozenset[str]) -> Iterator[str]:
    """Every photo without a result and why, one a line. names: of photos that must be among the images.

    An inside shot has none of its own: it is in the result of its front.
    """
    for image in images:
        if image.status == "paired":
            continue
        if image.status != "completed":
            yield f"{image.name} is {image.status}: {image.reason or 'no reason was given'}"
        elif image.id not in files or not files[image.id].is_file():
            yield f"{image.name} is completed, but its result is not in {ARCHIVE}"
    for name in sorted(names - {image.name for image in images}):
        yield f"{name} was sent, but is not among the images of the batch"


def draw_sheet(photos: zipfile.ZipFile, images: Sequence[Image], files: Mapping[str, Path], out: Path) -> int:
    """The contact sheet of all images that have a result; how many pairs are on it."""
    pairs = [_pair(photos, image, files[image.id]) for image in images if image.id in files]
    return write_contact_sheet(pairs, out / SHEET)


def _pair(photos: zipfile.ZipFile, image: Image, file: Path) -> Pair:
    reasons = ", ".join(image.reasons)
    return Pair(lambda: photos.read(image.name), file.read_bytes, image.name, image.verdict or "", reasons)
