"""ICC profiles of the usual wide gamuts, and pixels that mean the scene's colours in them. By the published
D50 colorants, not by the code under test."""

from __future__ import annotations

import struct

import numpy as np
from PIL import Image, ImageCms

from services.inference.pipeline.arrays import U8
from tests.security.picture_corpus.scene import scene

Matrix = tuple[tuple[float, float, float], ...]
SRGB: Matrix = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.7141))
DISPLAY_P3: Matrix = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
ADOBE_RGB: Matrix = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
PROPHOTO: Matrix = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491))
Gamut = tuple[Matrix, float]
"""Colorants and exponent."""
GAMUTS: dict[str, Gamut] = {
    "Display P3": (DISPLAY_P3, 2.2),
    "Adobe RGB": (ADOBE_RGB, 2.19921875),
    "ProPhoto": (PROPHOTO, 1.8),
}


def profile(colorants: Matrix, gamma: float) -> bytes:
    """A version 2 display profile: three colorants, one exponent."""
    curve = struct.pack(">4s4xIH2x", b"curv", 1, round(gamma * 256))
    tags = {name: _xyz(values) for name, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), colorants, strict=True)}
    tags |= {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve, b"wtpt": _xyz((0.9642, 1.0, 0.8249))}
    return assembled(b"mntr", b"RGB ", b"XYZ ", tags)


def in_gamut(colorants: Matrix, gamma: float) -> U8:
    """The scene's colours in other primaries and under another curve."""
    rgb = scene() / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    other = linear @ np.array(SRGB) @ np.linalg.inv(np.array(colorants))
    return np.asarray((np.clip(other, 0, 1) ** (1 / gamma) * 255).round(), np.uint8)


def cmyk_profile() -> bytes:
    """A printer's profile whose table says what Pillow's plain arithmetic says."""
    steps = np.linspace(0, 255, 9).round().astype(np.uint8)
    nodes = np.stack(np.meshgrid(*[steps] * 4, indexing="ij"), axis=-1).reshape(1, -1, 4)
    rgb = Image.frombytes("CMYK", (nodes.shape[1], 1), nodes.tobytes()).convert("RGB")
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    lab = ImageCms.applyTransform(rgb, to_lab)
    assert lab is not None
    offset = np.frombuffer(lab.tobytes(), np.uint8).reshape(-1, 3) ^ np.array([0, 128, 128], np.uint8)
    straight = bytes(range(256))
    identity = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    head = struct.pack(">4s4xBBBx", b"mft1", 4, 3, len(steps)) + identity
    table = head + straight * 4 + offset.tobytes() + straight * 3
    return assembled(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table, b"wtpt": _xyz((0.9642, 1.0, 0.8249))})


def assembled(kind: bytes, space: bytes, between: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Header, table of tags, tags; each on a multiple of four."""
    at, table, body = 132 + 12 * len(tags), struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4xI", at + len(body), 0x0240_0000) + kind + space + between + bytes(12) + b"acsp"
    illuminant = struct.pack(">3i", *(round(value * 65536) for value in (0.9642, 1.0, 0.8249)))
    return (head.ljust(68, b"\x00") + illuminant).ljust(128, b"\x00") + table + body


def _xyz(values: tuple[float, ...]) -> bytes:
    return b"XYZ " + bytes(4) + struct.pack(">3i", *(round(value * 65536) for value in values))
