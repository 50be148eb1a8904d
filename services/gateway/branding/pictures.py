"""Pictures of brands as answers."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import Response

from libs.common.contracts.branding import Brand, BrandFile
from libs.common.errors import NotFound
from libs.common.objects import Objects
from services.gateway.branding.monogram import monogram
from services.gateway.ranges import unchanged

SVG = "image/svg+xml"
PNG = "image/png"
HEADERS = {
    # An SVG that is opened by itself is a document: it may style itself and do nothing else.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Host",
}
CACHED = "public, max-age=60"
_KEPT = 64


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and what its answer says of it."""

    data: bytes
    media_type: str
    sha256: str

    @classmethod
    def of_monogram(cls, brand: Brand) -> Picture:
        data = monogram(brand)
        return cls(data, SVG, hashlib.sha256(data).hexdigest())

    def response(self, request: Request, cache: str = CACHED) -> Response:
        """The picture, or that it is as it was."""
        headers = {**HEADERS, "ETag": f'"{self.sha256}"', "Cache-Control": cache}
        if unchanged(request.headers, headers["ETag"]):
            return Response(status_code=304, headers=headers)
        return Response(self.data, media_type=self.media_type, headers=headers)


class Pictures:
    """Reads pictures, and keeps those that were asked for last: they are small and never change."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._kept: OrderedDict[str, Picture] = OrderedDict()

    async def get(self, file: BrandFile | None, brand: Brand) -> Picture:
        """The picture, or the brand's monogram where there is none (any more)."""
        if file is None:
            return Picture.of_monogram(brand)
        if file.key not in self._kept:
            try:
                data = await self._objects.read(file.key)
            except NotFound:
                return Picture.of_monogram(brand)
            self._kept[file.key] = Picture(data, file.media_type, file.sha256)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(file.key)
        return self._kept[file.key]
