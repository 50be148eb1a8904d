"""Making a PNG anew from a raster picture: nothing of the file that came is kept but its pixels."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps

from services.tenants.branding.refused import Refused

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_SIDE = 512
MAX_PIXELS = 20_000_000
FAVICON, TOUCH_ICON = 32, 180


def opened(raw: bytes) -> Image.Image:
    """The first frame, upright, 512 px at most, RGBA. Refused."""
    try:
        with warnings.catch_warnings(action="error"), Image.open(io.BytesIO(raw), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise Refused(f"The picture has over {MAX_PIXELS:,} pixels.")
            image.draft("RGB", (MAX_SIDE, MAX_SIDE))
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, ValueError, SyntaxError, MemoryError, Warning, EOFError, Image.DecompressionBombError):
        raise Refused("The picture can't be read. Send a PNG, a JPEG or a WebP.") from None
    upright.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
    return upright


def png(image: Image.Image) -> bytes:
    """Without any metadata."""
    bare = Image.new("RGBA", image.size)
    bare.paste(image)
    out = io.BytesIO()
    bare.save(out, "PNG", optimize=True)
    return out.getvalue()


def icon(image: Image.Image, side: int) -> bytes:
    """The whole picture in the middle of a transparent square of `side` px."""
    fitted = ImageOps.contain(image, (side, side), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (side, side))
    square.paste(fitted, ((side - fitted.width) // 2, (side - fitted.height) // 2))
    return png(square)
