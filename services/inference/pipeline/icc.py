"""An ICC profile for colours named by numbers: PNG's gAMA, cHRM and cICP, and the nclx of AVIF and HEIC.

Code points after ITU-T H.273, tables 2 and 3; the profile after ICC.1:2022 (matrix and parametric curve).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import numpy as np

from services.inference.pipeline.refusals import unsupported

Point = tuple[float, float]
"""CIE 1931 x, y."""


class Primaries(NamedTuple):
    white: Point
    red: Point
    green: Point
    blue: Point


_D65, _C = (0.3127, 0.329), (0.31, 0.316)
BT709 = Primaries(_D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
_PRIMARIES = {
    1: BT709,
    4: Primaries(_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: Primaries(_D65, (0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: Primaries(_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: Primaries(_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    9: Primaries(_D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    11: Primaries((0.314, 0.351), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    12: Primaries(_D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
}
_GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}
_PQ, _HLG = 16, 18
SRGB_CURVE = 0.0
"""In the place of an exponent: the curve of sRGB, which no single exponent gives."""
_SRGB = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_SAME_GAMMA = 0.05
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def profile_of_codes(primaries: int, transfer: int) -> bytes | None:
    """The profile of two H.273 code points; None for sRGB and for what is left open.

    The curves of BT.709 and BT.601 are those of cameras, and are shown as sRGB by common consent. Raises
    PictureRefused for the two HDR curves, PQ and HLG, whose whites lie far above paper.
    """
    if transfer in (_PQ, _HLG):
        raise unsupported("this is an HDR picture (PQ or HLG)", "export it in sRGB or Display P3")
    return profile_of(_PRIMARIES.get(primaries, BT709), _GAMMAS.get(transfer, SRGB_CURVE))


def profile_of(primaries: Primaries, exponent: float) -> bytes | None:
    """The profile of RGB with these primaries, where light is value to the power of `exponent`.

    None for sRGB's own, and for numbers that no screen has.
    """
    if abs(exponent - 2.2) < _SAME_GAMMA:
        exponent = SRGB_CURVE
    if (primaries == BT709 and exponent == SRGB_CURVE) or not 0 <= exponent <= 5:
        return None
    matrix = _to_d50(primaries)
    return None if matrix is None else _profile(matrix, exponent)


def _to_d50(primaries: Primaries) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    """Linear RGB to XYZ under D50, adapted by Bradford's matrix, or None where the primaries span nothing."""
    if min(y for _, y in primaries) <= 0:
        return None
    white, *colours = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in primaries)
    columns = np.stack(colours, axis=1)
    cone = _BRADFORD @ white
    if abs(np.linalg.det(columns)) < 1e-3 or cone.min() <= 0:
        return None
    adapt = np.linalg.inv(_BRADFORD) @ np.diag(_BRADFORD @ _D50 / cone) @ _BRADFORD
    matrix = adapt @ columns @ np.diag(np.linalg.solve(columns, white))
    return np.asarray(matrix) if np.abs(matrix).max() < 4 else None


def _profile(matrix: np.ndarray[tuple[int, ...], np.dtype[np.float64]], exponent: float) -> bytes:
    curve = _curve(exponent)
    tags = {b"wtpt": _xyz(_D50), b"rTRC": curve, b"gTRC": curve, b"bTRC": curve}
    tags |= {name: _xyz(matrix[:, i]) for i, name in enumerate((b"rXYZ", b"gXYZ", b"bXYZ"))}
    table, body, at = struct.pack(">I", len(tags)), b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    return _header(at + len(body)) + table + body


def _header(size: int) -> bytes:
    head = struct.pack(">I4xI", size, 0x0430_0000) + b"mntrRGB XYZ " + bytes(12) + b"acsp"
    return (head.ljust(68, b"\x00") + b"".join(map(_fixed, _D50))).ljust(128, b"\x00")


def _curve(exponent: float) -> bytes:
    kind, numbers = (3, _SRGB) if exponent == SRGB_CURVE else (0, (exponent,))
    return struct.pack(">4s4xH2x", b"para", kind) + b"".join(map(_fixed, numbers))


def _xyz(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, values))


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(float(value) * 65536))
