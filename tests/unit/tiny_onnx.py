"""An ONNX file of the mannequin model's signature, made by hand: four operators instead of a network.

The `onnx` package is no dependency of ours; the few protobuf fields used here are from onnx.proto3 (IR 8).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

FLOAT, UINT8, INT64 = 1, 2, 7


def tiny_model(height: int = 64, width: int = 48, classes: int = 3, softmax: bool = True) -> bytes:
    """`image` uint8 [N,height,width,3] to `probabilities` float32 [N,classes,height/2,width/2].

    Red is garment, dark is body and the rest is background.
    """
    weights = [0.0] * 3 + [0.2, -0.1, -0.1] + [-0.05] * 3 + [0.0] * 3 * max(0, classes - 3)
    biases = [0.0, -4.0, 4.0] + [0.0] * max(0, classes - 3)
    nodes = [
        _node("Cast", ["image"], "float", _int_attribute("to", FLOAT)),
        _node("Transpose", ["float"], "planes", _ints_attribute("perm", [0, 3, 1, 2])),
        _node(
            "AveragePool",
            ["planes"],
            "half",
            _ints_attribute("kernel_shape", [2, 2]),
            _ints_attribute("strides", [2, 2]),
        ),
        _node("Conv", ["half", "weights", "biases"], "logits"),
        _node("Softmax" if softmax else "Identity", ["logits"], "probabilities", *_axis(softmax)),
    ]
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, b"tiny"),
            _field(5, _tensor("weights", [classes, 3, 1, 1], weights[: classes * 3])),
            _field(5, _tensor("biases", [classes], biases[:classes])),
            _field(11, _value("image", UINT8, ["n", height, width, 3])),
            _field(12, _value("probabilities", FLOAT, ["n", classes, height // 2, width // 2])),
        ]
    )
    return _int(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _int(2, 13))


def _axis(softmax: bool) -> list[bytes]:
    return [_int_attribute("axis", 1)] if softmax else []


def _node(kind: str, inputs: Iterable[str], output: str, *attributes: bytes) -> bytes:
    body = b"".join(_field(1, name.encode()) for name in inputs)
    body += _field(2, output.encode()) + _field(4, kind.encode())
    return body + b"".join(_field(5, attribute) for attribute in attributes)


def _int_attribute(name: str, value: int) -> bytes:
    return _field(1, name.encode()) + _int(3, value) + _int(20, 2)


def _ints_attribute(name: str, values: Iterable[int]) -> bytes:
    return _field(1, name.encode()) + b"".join(_int(8, value) for value in values) + _int(20, 7)


def _tensor(name: str, shape: Iterable[int], values: list[float]) -> bytes:
    body = b"".join(_int(1, side) for side in shape) + _int(2, FLOAT) + _field(8, name.encode())
    return body + _field(9, struct.pack(f"<{len(values)}f", *values))


def _value(name: str, kind: int, shape: Iterable[int | str]) -> bytes:
    sides = b"".join(
        _field(1, _int(1, side) if isinstance(side, int) else _field(2, side.encode())) for side in shape
    )
    return _field(1, name.encode()) + _field(2, _field(1, _int(1, kind) + _field(2, sides)))


def _field(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _int(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
