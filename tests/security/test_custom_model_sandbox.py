"""A tenant's ONNX file is hostile until shown otherwise, and looked at where it can do no harm."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from services.inference.custom.graph import GraphRefused, examine_graph
from services.inference.custom.sandbox import examine
from services.inference.custom.service import completed_card
from tests.unit.tiny_onnx import tiny_model

CARD = completed_card(
    "tiny",
    "0" * 64,
    {
        "input": {"name": "image", "height": 64, "width": 48},
        "output": {"name": "probabilities", "stride": 2, "channels": ["background", "garment", "body"]},
    },
)


def saved(folder: Path, model: onnx.ModelProto | bytes) -> Path:
    path = folder / "model.onnx"
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


def changed(change: Callable[[onnx.ModelProto], object]) -> onnx.ModelProto:
    """A good model, with something done to it."""
    model = onnx.load_model_from_string(tiny_model())
    change(model)
    return model


def _loop(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["a", "b"], ["c"], body=body))


def _hidden_graph(model: onnx.ModelProto) -> None:
    model.graph.node[0].attribute.append(helper.make_attribute("g", helper.make_graph([], "g", [], [])))


def _external(model: onnx.ModelProto) -> None:
    weight = model.graph.initializer[0]
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../../etc/passwd")


def _external_in_a_constant(model: onnx.ModelProto) -> None:
    tensor = numpy_helper.from_array(np.zeros(2, np.float32))
    tensor.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(helper.make_node("Constant", [], ["k"], value=tensor))


def _huge_weight(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [2**31, 2**31]


def _negative_weight(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [-1]


def _custom_domain(model: onnx.ModelProto) -> None:
    model.opset_import.add(domain="com.example", version=1)


def _old_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 7


def _function(model: onnx.ModelProto) -> None:
    model.functions.add(name="f", domain="x")


def _unconnected(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "nowhere"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_loop, "Loop"),
        (_hidden_graph, "graph of its own"),
        (_external, "outside of the file"),
        (_external_in_a_constant, "outside of the file"),
        (_huge_weight, "larger than"),
        (_negative_weight, "negative"),
        (_custom_domain, r"com\.example"),
        (_old_opset, "opset"),
        (_function, "functions"),
        (_unconnected, "hold together"),
    ],
)
def test_a_graph_that_holds_what_it_must_not_is_refused(
    change: Callable[[onnx.ModelProto], object], reason: str, tmp_path: Path
) -> None:
    """With the reason, and before anything of it is run."""
    with pytest.raises(GraphRefused, match=reason):
        examine_graph(saved(tmp_path, changed(change)))


@pytest.mark.parametrize("junk", [b"", b"\x00" * 100, b"\xff" * 5000, os.urandom(4096)])
def test_what_is_no_model_is_refused(junk: bytes, tmp_path: Path) -> None:
    """Whatever it is."""
    with pytest.raises(GraphRefused):
        examine_graph(saved(tmp_path, junk))


async def test_a_good_model_is_measured(tmp_path: Path) -> None:
    """Its opset, and the time and memory of a run."""
    found = await examine(saved(tmp_path, tiny_model()), CARD)
    assert found.ok, found.reason
    assert found.opset is not None
    assert found.run_ms is not None


async def test_a_large_worker_costs_its_models_nothing(tmp_path: Path) -> None:
    """What the worker itself takes is not counted as the model's."""
    ballast = np.ones(2_500 * 2**20 // 8)
    found = await examine(saved(tmp_path, tiny_model()), CARD)
    assert ballast.sum() > 0
    assert found.ok, found.reason


async def test_a_model_whose_output_is_something_else_is_refused(tmp_path: Path) -> None:
    """It has to give what its card says."""
    found = await examine(saved(tmp_path, tiny_model(classes=2)), CARD)
    assert not found.ok
    assert found.reason


async def test_a_model_that_takes_all_memory_is_refused(tmp_path: Path) -> None:
    """It ends its own process, and nothing else."""
    found = await examine(saved(tmp_path, _greedy()), CARD)
    assert not found.ok


async def test_a_check_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """And its process with it."""
    found = await examine(saved(tmp_path, tiny_model()), CARD, limit_s=0.01)
    assert not found.ok
    assert "too long" in str(found.reason)


async def test_the_sandbox_sees_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is empty but for a path, though the worker's holds the keys of everything."""
    seen: dict[str, Any] = {}
    real = asyncio.create_subprocess_exec

    async def watched(*command: str, **options: Any) -> asyncio.subprocess.Process:
        seen.update(options["env"])
        return await real(*command, **options)

    monkeypatch.setenv("INFERENCE_DATABASE_URL", "postgresql://secret")
    monkeypatch.setattr(asyncio, "create_subprocess_exec", watched)
    assert (await examine(saved(tmp_path, tiny_model()), CARD)).ok
    assert set(seen) == {"PATH", "OMP_NUM_THREADS"}


def _greedy() -> onnx.ModelProto:
    """Expands its picture to a hundred times more than a machine has."""
    model = onnx.load_model_from_string(tiny_model())
    shape = numpy_helper.from_array(np.array([4096, 64, 48, 4096, 3], np.int64), "greedy_shape")
    model.graph.initializer.append(shape)
    name = model.graph.output[0].name
    for node in model.graph.node:
        for index, output in enumerate(node.output):
            if output == name:
                node.output[index] = "before"
    model.graph.node.append(helper.make_node("Cast", ["image"], ["as_float"], to=TensorProto.FLOAT))
    model.graph.node.append(helper.make_node("Unsqueeze", ["as_float", "axis"], ["five"]))
    model.graph.initializer.append(numpy_helper.from_array(np.array([3], np.int64), "axis"))
    model.graph.node.append(helper.make_node("Expand", ["five", "greedy_shape"], ["huge"]))
    model.graph.node.append(helper.make_node("ReduceMax", ["huge"], ["most"], keepdims=0))
    model.graph.node.append(helper.make_node("Mul", ["before", "most"], [name]))
    return model
