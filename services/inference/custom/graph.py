"""What a tenant's ONNX graph may hold: nothing that loops, reads elsewhere, or that we never tried.

Everything here reads the file as data; nothing of it is run. ONNX IR: https://onnx.ai/onnx/repo-docs/IR.html
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import onnx

OPSETS = range(11, 23)
MOST_NODES = 20_000
MOST_WEIGHTS_BYTES = 512 * 1024 * 1024
_NAMES = """
Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast Ceil Clip Concat Constant ConstantOfShape Conv
ConvTranspose DepthToSpace DequantizeLinear Div Dropout Einsum Elu Equal Erf Exp Expand Flatten Floor Gather
GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalMaxPool Greater GreaterOrEqual GridSample
GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization LayerNormalization LeakyRelu Less
LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean Min Mish Mod Mul Neg Not Or PRelu Pad Pow QuantizeLinear
Range Reciprocal ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum Relu Reshape Resize Round Selu
Shape Sigmoid Sign Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Tanh Tile TopK
Transpose Unsqueeze Upsample Where Xor
"""
OPERATORS = frozenset(_NAMES.split())
"""Of segmentation networks. No Loop, Scan, If, NonZero or sequence: what a run takes is known beforehand."""


class GraphRefused(Exception):
    """The graph holds what it must not; the message says what, and how to mend it."""


def examine_graph(path: Path) -> int:
    """The opset of the model in the file. GraphRefused."""
    try:
        model = onnx.load(str(path), load_external_data=False)
    except Exception as error:  # protobuf's errors share no base class
        raise GraphRefused("The file is no ONNX model; export it again.") from error
    opset = _opset(model)
    if model.functions or model.training_info:
        raise GraphRefused(
            "The model brings functions or training steps of its own; export it for inference."
        )
    nodes = list(_nodes(model.graph))
    if len(nodes) > MOST_NODES:
        raise GraphRefused(f"The graph has {len(nodes):,} nodes; at most {MOST_NODES:,} are taken.")
    _require_known(nodes)
    _require_own_weights(model.graph, nodes)
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        raise GraphRefused(f"The model does not hold together: {_short(error)}") from error
    return opset


def _opset(model: onnx.ModelProto) -> int:
    """GraphRefused for one that is too old or new, and for operators of others than ONNX itself."""
    others = {one.domain for one in model.opset_import} - {"", "ai.onnx"}
    if others:
        raise GraphRefused(
            f"The model uses operators of {', '.join(sorted(others))}; only ONNX's own are taken."
        )
    versions = [one.version for one in model.opset_import]
    if len(versions) != 1 or versions[0] not in OPSETS:
        raise GraphRefused(
            f"The opset is {versions}; export the model with {OPSETS.start} to {OPSETS.stop - 1}."
        )
    return int(versions[0])


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    yield from graph.node


def _require_known(nodes: list[onnx.NodeProto]) -> None:
    unknown = sorted({node.op_type for node in nodes} - OPERATORS)
    if unknown:
        raise GraphRefused(f"These operators are not taken: {', '.join(unknown[:20])}.")
    for node in nodes:
        if any(attribute.HasField("g") or attribute.graphs for attribute in node.attribute):
            raise GraphRefused(f"The node {node.op_type} holds a graph of its own.")


def _require_own_weights(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """All weights in the file itself, and no more of them than fit; what they claim is not believed."""
    if graph.sparse_initializer:
        raise GraphRefused("Sparse weights are not taken; export dense ones.")
    total = 0
    for tensor in _tensors(graph, nodes):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise GraphRefused("Weights lie outside of the file; save the model as one file.")
        if any(size < 0 for size in tensor.dims):
            raise GraphRefused("A weight has a negative size.")
        total += 8 * math.prod(tensor.dims)
        if total > MOST_WEIGHTS_BYTES * 2:
            raise GraphRefused("The weights are larger than what is taken.")


def _tensors(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in nodes:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
