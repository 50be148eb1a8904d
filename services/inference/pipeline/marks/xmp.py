"""The XMP packet that says it, and where it goes in each format that Pillow does not put it into.

XMP specification, part 3 (2020): PNG as an iTXt chunk (5.4.1), JPEG as an APP1 segment (5.3.1).
"""

from __future__ import annotations

import struct
from functools import cache

from services.inference.pipeline.marks.source import DigitalSource

PNG_KEYWORD = b"XML:com.adobe.xmp"
_JPEG_NAMESPACE = b"http://ns.adobe.com/xap/1.0/\x00"
_PACKET = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" \
Iptc4xmpExt:DigitalSourceType="{source}"/></rdf:RDF></x:xmpmeta><?xpacket end="r"?>"""


@cache
def packet(source: DigitalSource) -> bytes:
    """UTF-8, read-only, and the same on any day."""
    return _PACKET.format(source=source.value).encode()


def png_text(source: DigitalSource) -> bytes:
    """The body of the iTXt chunk: keyword, not compressed, no language, no translated keyword, text."""
    return PNG_KEYWORD + b"\x00\x00\x00\x00\x00" + packet(source)


def jpeg_segment(source: DigitalSource) -> bytes:
    """The APP1 segment, marker and length included."""
    body = _JPEG_NAMESPACE + packet(source)
    return b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
