"""Taking in a logo: put where the tenants service looks at it, without a look of our own."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from ulid import ULID

from libs.common.contracts.branding import MAX_UPLOAD_BYTES, PictureKind, upload_parts
from libs.common.contracts.ids import TenantId
from libs.common.errors import Invalid
from libs.common.objects import Objects
from libs.common.objects.objects import tenant_key
from services.gateway.errors import TooLarge, UnsupportedMedia

PATHS = frozenset({"/api/v1/tenant/branding/logo", "/api/v1/tenant/branding/favicon"})
_TYPES = ("image/svg+xml", "image/png", "image/jpeg", "image/webp")
_UNTOLD = ("", "application/octet-stream")


def described(kind: PictureKind) -> dict[str, Any]:
    """The request's body, for the document."""
    binary = {"schema": {"type": "string", "format": "binary", "minLength": 1}}
    return {
        "requestBody": {
            "required": True,
            "description": f"The {kind.value} itself.",
            "content": dict.fromkeys(_TYPES, binary),
        }
    }


async def received(request: Request, objects: Objects, tenant: TenantId) -> str:
    """The name that the picture was stored under. UnsupportedMedia, TooLarge, Invalid."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _TYPES and kind not in _UNTOLD:
        raise UnsupportedMedia(kind, _TYPES)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_UPLOAD_BYTES:
            raise TooLarge(MAX_UPLOAD_BYTES)
    if not body:
        raise Invalid("The body is empty: send the picture in it.", code="picture_refused")
    name = str(ULID()).lower()
    await objects.put(tenant_key(tenant, *upload_parts(name)), bytes(body))
    return name
