"""The child process that looks at a tenant's picture: `python -m services.tenants.branding.workshop`.

Bytes come in on standard input, JSON goes out on standard output. It limits itself before it looks at the
first byte, has no environment to speak of and holds nothing that is worth stealing.
"""

from __future__ import annotations

import base64
import json
import resource
import sys
from collections.abc import Iterator

from services.tenants.branding import raster, svg
from services.tenants.branding.refused import Refused

MEMORY_BYTES = 768 * 2**20
CPU_S = 3
PNG, SVG = "image/png", "image/svg+xml"
_RASTER_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")


def made(raw: bytes) -> Iterator[tuple[str, str, bytes]]:
    """What a logo comes to: role, media type and bytes. An SVG is its own icon. Refused."""
    if raw.startswith(_RASTER_MAGIC):
        image = raster.opened(raw)
        yield "picture", PNG, raster.png(image)
        yield "favicon", PNG, raster.icon(image, raster.FAVICON)
        yield "touch_icon", PNG, raster.icon(image, raster.TOUCH_ICON)
    elif raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        clean = svg.sanitised(raw)
        yield from ((role, SVG, clean) for role in ("picture", "favicon", "touch_icon"))
    else:
        raise Refused("The picture is of no kind that is taken. Send an SVG, a PNG, a JPEG or a WebP.")


def main() -> None:
    for what, limit in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_S)):
        resource.setrlimit(what, (limit, limit))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        files = [
            {"role": role, "media_type": media_type, "data": base64.b64encode(data).decode()}
            for role, media_type, data in made(sys.stdin.buffer.read())
        ]
        answer = {"files": files}
    except Refused as refused:
        sys.stdout.write(json.dumps({"refused": str(refused)}))
    else:
        sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
