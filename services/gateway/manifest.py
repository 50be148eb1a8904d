"""`manifest.json` of a batch's results: every photo, what became of it, and how it stands among others."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from libs.common.catalogue.drift import Sighting, drifts
from libs.common.contracts import batch as contract
from libs.common.contracts.branding import DEFAULT_BRAND, Brand
from libs.common.contracts.ids import ImageId
from libs.common.contracts.inference import FileKind, StoredFile
from libs.common.contracts.options import ImageFormat
from libs.common.result_names import result_names
from services.gateway.views import Batch, Image, Links

MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Packed:
    """A file of the results: its path in the archive and where it lies. `kind` is None for the result."""

    path: str
    image: contract.Image
    key: str
    media_type: str
    size: int
    kind: FileKind | None = None
    name: str = ""


def packed(images: Sequence[contract.Image]) -> list[Packed]:
    """All files of completed images: the results first, then what lies beside them, folder by folder."""
    files = [*map(_result, images), *_beside(images)]
    paths = result_names((file.path, _extension(file.media_type)) for file in files)
    return [replace(file, path=path) for path, file in zip(paths, files, strict=True)]


def _result(image: contract.Image) -> Packed:
    media_type = image.media_type or "image/png"
    return Packed(image.name, image, image.result_key or "", media_type, image.size or 0)


def _beside(images: Sequence[contract.Image]) -> Iterator[Packed]:
    by_folder: dict[str, list[Packed]] = defaultdict(list)
    for image in images:
        for kind, file in _files(image):
            folder, key = f"{kind.value}s/{file.name}", kind.key(image.result_key or "", file.name)
            path = f"{folder}/{image.name}"
            by_folder[folder].append(Packed(path, image, key, file.media_type, file.size, kind, file.name))
    for folder in sorted(by_folder):
        yield from by_folder[folder]


def _files(image: contract.Image) -> Iterator[tuple[FileKind, StoredFile]]:
    yield from ((FileKind.RENDITION, file) for file in image.renditions)
    yield from ((FileKind.ARTEFACT, file) for file in image.artefacts)


def manifest_file(
    batch: contract.Batch,
    images: Sequence[contract.Image],
    files: Sequence[Packed],
    links: Links,
    brand: Brand = DEFAULT_BRAND,
) -> bytes:
    """Up to 5,000 images as JSON, which takes too long for an event loop."""
    return json.dumps(manifest(batch, images, files, links, brand), indent=2, ensure_ascii=False).encode()


def manifest(
    batch: contract.Batch,
    images: Sequence[contract.Image],
    files: Sequence[Packed],
    links: Links,
    brand: Brand = DEFAULT_BRAND,
) -> dict[str, Any]:
    """The batch, whose brand it is under, and every image with the paths of its files and its drift; those
    without say why.
    """
    paths: dict[tuple[ImageId, FileKind | None, str], str] = {
        (file.image.id, file.kind, file.name): file.path for file in files
    }
    drift = _drift(images)
    return {
        "brand": {"display_name": brand.display_name, "support_link": brand.support_link},
        "batch": Batch.of(batch, links).model_dump(mode="json"),
        "images": [{**_shown(image, links, paths), "drift": drift.get(image.id)} for image in images],
    }


def _shown(
    image: contract.Image, links: Links, paths: Mapping[tuple[ImageId, FileKind | None, str], str]
) -> dict[str, Any]:
    shown = Image.of(image, links).model_dump(mode="json")
    for kind in FileKind:
        for file in shown[f"{kind.value}s"]:
            file["file"] = paths.get((image.id, kind, file["name"]))
    return {**shown, "file": paths.get((image.id, None, ""))}


def _drift(images: Sequence[contract.Image]) -> dict[ImageId, dict[str, float]]:
    """By image: scale, x, y and rotation against the median of the batch, where its landmarks tell them."""
    sightings = [
        Sighting(image.id, image.landmarks, image.photo_width, image.photo_height)
        for image in images
        if image.landmarks and image.photo_width and image.photo_height and image.duplicate_of is None
    ]
    found = {drift.image_id: asdict(drift) for drift in drifts(sightings)}
    return {
        image_id: {name: value for name, value in drift.items() if name != "image_id"}
        for image_id, drift in found.items()
    }


def _extension(media_type: str) -> str:
    return ImageFormat(media_type.rpartition("/")[2]).extension
