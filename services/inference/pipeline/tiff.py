"""What a TIFF's first directory says of its tiles and strips (TIFF 6.0, sections 3 and 15)."""

from __future__ import annotations

from io import BytesIO
from itertools import zip_longest

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from services.inference.pipeline.limits import check_pixels

_HEADER, _BIG_HEADER, _BIG = 8, 16, 43
_TILE_WIDTH, _TILE_HEIGHT = 322, 323
_OFFSETS_AND_LENGTHS = ((273, 279), (324, 325))
"""Of strips, and of tiles."""


def check_tiles(tags: ImageFileDirectory_v2) -> None:
    """Raises PictureRefused for tiles that are larger than a picture may be: libtiff makes room for one."""
    if _TILE_WIDTH in tags and _TILE_HEIGHT in tags:
        check_pixels(int(tags[_TILE_WIDTH]), int(tags[_TILE_HEIGHT]))


def tiff_ends_early(data: bytes) -> bool:
    """Whether the directory, or a strip or tile of it, is not in the file or reaches beyond its end.

    To be asked about a TIFF that could not be read: some that can be are a little careless about lengths.
    """
    tags = ImageFileDirectory_v2(data[: _BIG_HEADER if _BIG in data[2:4] else _HEADER])
    if tags.next >= len(data):
        return True
    stream = BytesIO(data)
    stream.seek(tags.next)
    tags.load(stream)
    parts = [
        (offset, length)
        for offsets, lengths in _OFFSETS_AND_LENGTHS
        for offset, length in zip_longest(tags.get(offsets, ()), tags.get(lengths, ()), fillvalue=0)
    ]
    return not parts or any(offset + length > len(data) for offset, length in parts)
