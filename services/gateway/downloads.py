"""A stored result as an answer: whole, a range of it, or only that it has not changed."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from libs.common.contracts.batch import Image
from libs.common.contracts.options import ImageFormat
from libs.common.objects import Objects
from libs.common.result_names import result_names
from services.gateway.ranges import asked_span, unchanged


def result_response(
    image: Image, request: Request, objects: Objects, *, conditional: bool = True
) -> Response:
    """The result of a completed image. RangeNotSatisfiable.

    conditional: whether If-None-Match and Range count; they say nothing of a POST.
    """
    assert image.result_key is not None
    assert image.size is not None
    headers = _headers(image)
    etag = headers["ETag"]
    if conditional and unchanged(request.headers, etag):
        return Response(status_code=304, headers=headers)
    span = asked_span(request.headers, etag, image.size) if conditional else None
    start, end = span or (0, image.size)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{image.size}"
    headers["Content-Length"] = str(end - start)
    return StreamingResponse(
        objects.stream(image.result_key, start, end),
        status_code=206 if span else 200,
        headers=headers,
        media_type=image.media_type,
    )


def _headers(image: Image) -> dict[str, str]:
    known: Mapping[str, object | None] = {
        "Image-Id": image.id,
        "Batch-Id": image.batch_id,
        "Image-Verdict": image.verdict,
        "Image-Score": image.score,
        "Image-Reasons": ", ".join(image.reasons) or None,
        "Image-Model": image.model,
    }
    return {
        "ETag": f'"{image.sha256}"',
        "Accept-Ranges": "bytes",
        # Kept, but asked about each time: the next round of a retried batch may bring another result.
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"inline; filename*=UTF-8''{quote(_file_name(image), safe='')}",
        **{name: str(value) for name, value in known.items() if value is not None},
    }


def _file_name(image: Image) -> str:
    extension = ImageFormat((image.media_type or "image/png").rpartition("/")[2]).extension
    return result_names([(image.name, extension)])[0].rpartition("/")[2]
