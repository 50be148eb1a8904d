"""A stored result as an answer: whole, a range of it, or only that it has not changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from libs.common.contracts.batch import Image
from libs.common.contracts.inference import FileKind, StoredFile
from libs.common.contracts.options import ImageFormat
from libs.common.objects import Objects
from libs.common.result_names import result_names
from services.gateway.errors import NoSuchArtefact, NoSuchRendition
from services.gateway.ranges import asked_span, unchanged

ROUTE_HEADER, PAYER_HEADER, CREDENTIAL_HEADER = (
    "X-Mannequin-Route",
    "X-Mannequin-Payer",
    "X-Mannequin-Credential",
)


@dataclass(frozen=True, slots=True)
class Download:
    """A stored file: where it lies, and what its answer says of it."""

    key: str
    size: int
    media_type: str
    sha256: str
    file_name: str


def result_response(
    image: Image, request: Request, objects: Objects, *, conditional: bool = True
) -> Response:
    """The result of a completed image. RangeNotSatisfiable.

    conditional: whether If-None-Match and Range count; they say nothing of a POST.
    """
    assert image.result_key is not None
    download = Download(
        key=image.result_key,
        size=image.size or 0,
        media_type=image.media_type or "image/png",
        sha256=image.sha256 or "",
        file_name=_file_name(image.name, image.media_type or "image/png"),
    )
    return _response(download, image, request, objects, conditional=conditional)


def file_response(image: Image, kind: FileKind, name: str, request: Request, objects: Objects) -> Response:
    """A rendition or an artefact of a completed image.

    NoSuchRendition, NoSuchArtefact, RangeNotSatisfiable.
    """
    file = _named(image, kind, name)
    assert image.result_key is not None
    stem, dot, extension = _file_name(image.name, file.media_type).rpartition(".")
    download = Download(
        key=kind.key(image.result_key, name),
        size=file.size,
        media_type=file.media_type,
        sha256=file.sha256,
        file_name=f"{stem}.{name}{dot}{extension}",
    )
    return _response(download, image, request, objects)


def _named(image: Image, kind: FileKind, name: str) -> StoredFile:
    files = image.renditions if kind is FileKind.RENDITION else image.artefacts
    for file in files:
        if file.name == name:
            return file
    raise NoSuchRendition if kind is FileKind.RENDITION else NoSuchArtefact


def _response(
    download: Download, image: Image, request: Request, objects: Objects, *, conditional: bool = True
) -> Response:
    headers = _headers(download, image)
    etag = headers["ETag"]
    if conditional and unchanged(request.headers, etag):
        return Response(status_code=304, headers=headers)
    span = asked_span(request.headers, etag, download.size) if conditional else None
    start, end = span or (0, download.size)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{download.size}"
    headers["Content-Length"] = str(end - start)
    return StreamingResponse(
        objects.stream(download.key, start, end),
        status_code=206 if span else 200,
        headers=headers,
        media_type=download.media_type,
    )


def _headers(download: Download, image: Image) -> dict[str, str]:
    known: Mapping[str, object | None] = {
        "Image-Id": image.id,
        "Batch-Id": image.batch_id,
        "Image-Verdict": image.verdict,
        "Image-Score": image.score,
        "Image-Reasons": ", ".join(image.reasons) or None,
        "Image-Preserved-Fraction": image.preserved_fraction,
        "Image-Synthesized-Fraction": image.synthesized_fraction,
        "Image-Digital-Source-Type": image.digital_source_type,
        "Image-Billable": str(image.billable).lower(),
        "Image-Model": image.model,
        **_route(image),
    }
    return {
        "ETag": f'"{download.sha256}"',
        "Accept-Ranges": "bytes",
        # Kept, but asked about each time: the next round of a retried batch may bring another result.
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(download.file_name, safe='')}",
        **{name: str(value) for name, value in known.items() if value is not None},
    }


def _route(image: Image) -> dict[str, object | None]:
    """Who computed it and on whose account; `;fallback` where the tenant's own key should have (RFC 9651)."""
    if image.route is None:
        return {}
    route = image.route
    return {
        ROUTE_HEADER: f"{route.provider}{';fallback' if route.fallback else ''}",
        PAYER_HEADER: route.payer,
        CREDENTIAL_HEADER: route.credential_id,
    }


def _file_name(photo: str, media_type: str) -> str:
    extension = ImageFormat(media_type.rpartition("/")[2]).extension
    return result_names([(photo, extension)])[0].rpartition("/")[2]
