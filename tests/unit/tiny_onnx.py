"""ONNX files of well-known models' signatures, made by hand: a few operators instead of a network.

The `onnx` package is no dependency of ours; the few protobuf fields used here are from onnx.proto3 (IR 8).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

FLOAT, UINT8, INT64, FLOAT16 = 1, 2, 7, 10
SALIENT = (0.9, -0.4, -0.3)
"""Weights of the colours in a saliency graph: red stands out."""
Shape = Sequence[int | str]


def tiny_model(height: int = 64, width: int = 48, classes: int = 3, softmax: bool = True) -> bytes:
    """`image` uint8 [N,height,width,3] to `probabilities` float32 [N,classes,height/2,width/2].

    Red is garment, dark is body and the rest is background.
    """
    graph = _half_size_logits(height, width, classes)
    graph.node("Softmax" if softmax else "Identity", ["logits"], "probabilities", *_axis(softmax))
    return graph.file({"probabilities": (FLOAT, ["n", classes, height // 2, width // 2])})


def hinted_model(height: int = 64, width: int = 48) -> bytes:
    """The built-in model's signature: `image` and `hint` int64 [N] to `maps` float32 [N,5,height/2,width/2].

    As `tiny_model`, but for hint 2 (lower) all is other; the last channel is 1 where it is dark.
    """
    graph = _half_size_logits(height, width, 5)
    graph.input("hint", INT64, ["n"])
    graph.weights("by_hint", [4, 5, 1, 1], [0.0] * 10 + [0, 0, 0, 100.0, 0] + [0.0] * 5)
    graph.node("Gather", ["by_hint", "hint"], "offset", int_attribute("axis", 0))
    graph.node("Add", ["logits", "offset"], "scores")
    graph.integers("parts", [4, 1])
    graph.node_of("Split", ["scores", "parts"], ["four", "last"], int_attribute("axis", 1))
    graph.node("Softmax", ["four"], "classes", int_attribute("axis", 1))
    graph.node("Sigmoid", ["last"], "interior")
    graph.node("Concat", ["classes", "interior"], "maps", int_attribute("axis", 1))
    return graph.file({"maps": (FLOAT, ["n", 5, height // 2, width // 2])})


def saliency_model(
    height: int,
    width: int,
    *,
    names: tuple[str, str] = ("input", "output"),
    batch: int | str = "n",
    more_outputs: Iterable[str] = (),
    sigmoid: bool = True,
    half: bool = False,
) -> bytes:
    """Float [batch,3,height,width] to [batch,1,height,width]: SALIENT colours, then a sigmoid or not."""
    taken, given = names
    kind = FLOAT16 if half else FLOAT
    graph = _Graph()
    graph.input(taken, kind, [batch, 3, height, width])
    if half:
        graph.node("Cast", [taken], "picture", int_attribute("to", FLOAT))
    graph.weights("salient", [1, 3, 1, 1], SALIENT)
    graph.node("Conv", ["picture" if half else taken, "salient"], "logits")
    graph.node("Sigmoid" if sigmoid else "Identity", ["logits"], given)
    for name in more_outputs:
        graph.node("Neg", ["logits"], name)
    outputs = (given, *more_outputs)
    return graph.file({name: (FLOAT, [batch, 1, height, width]) for name in outputs})


def parsing_model(height: int, width: int, classes: int, stride: int, names: tuple[str, str]) -> bytes:
    """Float [N,3,height,width] to logits [N,classes,height/stride,width/stride].

    Which class by the brightness of the red channel (-1 to 1): the first at -1, the last at 1.
    """
    taken, given = names
    graph = _Graph()
    graph.input(taken, FLOAT, ["n", 3, height, width])
    square = [ints_attribute("kernel_shape", [stride] * 2), ints_attribute("strides", [stride] * 2)]
    graph.node("AveragePool", [taken], "coarse", *square)
    centres = [-1 + 2 * place / (classes - 1) for place in range(classes)]
    sharp = 2000.0
    weights = [value for centre in centres for value in (2 * centre * sharp, 0.0, 0.0)]
    graph.weights("weights", [classes, 3, 1, 1], weights)
    graph.weights("biases", [classes], [-sharp * centre * centre for centre in centres])
    graph.node("Conv", ["coarse", "weights", "biases"], given)
    return graph.file({given: (FLOAT, ["n", classes, height // stride, width // stride])})


def int_attribute(name: str, value: int) -> bytes:
    return _field(1, name.encode()) + _int(3, value) + _int(20, 2)


def ints_attribute(name: str, values: Iterable[int]) -> bytes:
    return _field(1, name.encode()) + b"".join(_int(8, value) for value in values) + _int(20, 7)


class _Graph:
    """A GraphProto in the making."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._inputs: list[bytes] = []
        self._constants: list[bytes] = []

    def input(self, name: str, kind: int, shape: Shape) -> None:
        self._inputs.append(_value(name, kind, shape))

    def weights(self, name: str, shape: Sequence[int], values: Sequence[float]) -> None:
        raw = struct.pack(f"<{len(values)}f", *values)
        self._constants.append(_tensor(name, FLOAT, shape, raw))

    def integers(self, name: str, values: Sequence[int]) -> None:
        raw = struct.pack(f"<{len(values)}q", *values)
        self._constants.append(_tensor(name, INT64, [len(values)], raw))

    def node(self, kind: str, inputs: Iterable[str], output: str, *attributes: bytes) -> None:
        self.node_of(kind, inputs, [output], *attributes)

    def node_of(self, kind: str, inputs: Iterable[str], outputs: Iterable[str], *attributes: bytes) -> None:
        body = b"".join(_field(1, name.encode()) for name in inputs)
        body += b"".join(_field(2, name.encode()) for name in outputs) + _field(4, kind.encode())
        self._nodes.append(body + b"".join(_field(5, attribute) for attribute in attributes))

    def file(self, outputs: dict[str, tuple[int, Shape]]) -> bytes:
        """The ModelProto."""
        graph = b"".join(_field(1, node) for node in self._nodes) + _field(2, b"tiny")
        graph += b"".join(_field(5, constant) for constant in self._constants)
        graph += b"".join(_field(11, value) for value in self._inputs)
        graph += b"".join(_field(12, _value(name, *about)) for name, about in outputs.items())
        return _int(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _int(2, 13))


def _half_size_logits(height: int, width: int, classes: int) -> _Graph:
    graph = _Graph()
    graph.input("image", UINT8, ["n", height, width, 3])
    graph.node("Cast", ["image"], "float", int_attribute("to", FLOAT))
    graph.node("Transpose", ["float"], "planes", ints_attribute("perm", [0, 3, 1, 2]))
    square = [ints_attribute("kernel_shape", [2, 2]), ints_attribute("strides", [2, 2])]
    graph.node("AveragePool", ["planes"], "half", *square)
    # Background, garment, body; then other, which never wins; then the interior.
    weights = [0.0] * 3 + [0.2, -0.1, -0.1] + [-0.05] * 3 + [0.0] * 3 + [-0.05] * 3
    graph.weights("weights", [classes, 3, 1, 1], weights[: classes * 3])
    graph.weights("biases", [classes], [0.0, -4.0, 4.0, -40.0, 4.0][:classes])
    graph.node("Conv", ["half", "weights", "biases"], "logits")
    return graph


def _axis(softmax: bool) -> list[bytes]:
    return [int_attribute("axis", 1)] if softmax else []


def _tensor(name: str, kind: int, shape: Iterable[int], raw: bytes) -> bytes:
    body = b"".join(_int(1, side) for side in shape) + _int(2, kind) + _field(8, name.encode())
    return body + _field(9, raw)


def _value(name: str, kind: int, shape: Shape) -> bytes:
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
