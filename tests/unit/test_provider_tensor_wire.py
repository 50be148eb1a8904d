"""Tensors as text and as bytes."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from libs.common.contracts.providers import FaultCode
from services.inference.providers import tensor_wire
from services.inference.providers.provider import CallFailed

ANY = arrays.arrays(
    st.sampled_from(list(tensor_wire._NAMES)),
    arrays.array_shapes(max_dims=4, max_side=5),
    elements={"allow_nan": False, "allow_infinity": False},
)


def as_answer(request: bytes) -> bytes:
    """What a server says that gives its inputs back."""
    return request.replace(b'{"inputs"', b'{"outputs"', 1).replace(b'],"outputs":', b'],"asked":', 1)


@given(array=ANY)
def test_what_is_written_as_json_is_read_as_it_was(array: NDArray[Any]) -> None:
    """Of every type that the protocol has: shape, type and values."""
    body = as_answer(tensor_wire.encode_json({"x": array}, ["y"]))
    assert json.loads(body)["asked"] == [{"name": "y"}]
    found = tensor_wire.decode(body, None, ["x"])["x"]
    np.testing.assert_array_equal(found, array, strict=True)


@given(first=ANY, second=ANY)
def test_what_is_written_as_bytes_is_read_as_it_was(first: NDArray[Any], second: NDArray[Any]) -> None:
    """One tensor after the other, as the JSON before them says."""
    body, size = tensor_wire.encode_binary({"x": first, "y": second}, ["z"])
    changed = as_answer(body[:size])
    found = tensor_wire.decode(changed + body[size:], len(changed), ["y", "x"])
    np.testing.assert_array_equal(found["x"], first, strict=True)
    np.testing.assert_array_equal(found["y"], second, strict=True)


def test_arrays_that_are_turned_about_are_written_in_order() -> None:
    """A transposed view is no copy until it is sent."""
    turned = np.arange(6, dtype=np.uint8).reshape(2, 3).T
    found = tensor_wire.decode(as_answer(tensor_wire.encode_json({"x": turned}, [])), None, ["x"])
    np.testing.assert_array_equal(found["x"], turned)


def test_nested_data_is_read_too() -> None:
    """The protocol allows both."""
    body = b'{"outputs":[{"name":"x","datatype":"FP32","shape":[2,1],"data":[[1],[2.5]]}]}'
    assert tensor_wire.decode(body, None, ["x"])["x"].tolist() == [[1], [2.5]]


def output(**changed: Any) -> dict[str, Any]:
    return {"name": "x", "datatype": "FP32", "shape": [2], "data": [1, 2]} | changed


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"outputs": None},
        {"outputs": []},
        {"outputs": ["x"]},
        {"outputs": [output(name="y")]},
        {"outputs": [output(datatype="BF17")]},
        {"outputs": [output(shape=[3])]},
        {"outputs": [output(shape=[-1])]},
        {"outputs": [output(shape=[True, 2])]},
        {"outputs": [output(shape=[1 << 40, 1 << 40])]},
        {"outputs": [output(shape=2)]},
        {"outputs": [output(data=[1, None])]},
        {"outputs": [output(data=[1, "x"])]},
        {"outputs": [output(data=[1, float("nan")])]},
        {"outputs": [output(data=[1, float("inf")])]},
        {"outputs": [output(data=[[1], [2, 3]])]},
        {"outputs": [output(datatype="UINT8", data=[1, 1 << 70])]},
        {"outputs": [output(data=None, parameters={"binary_data_size": 8})]},
        {"outputs": [output(parameters={"binary_data_size": "8"})]},
        {"outputs": [output(parameters={"binary_data_size": -1})]},
    ],
)
def test_an_answer_that_does_not_fit_is_a_bad_answer(answer: dict[str, Any]) -> None:
    """A server of somebody else's may say anything."""
    with pytest.raises(CallFailed) as failed:
        tensor_wire.decode(json.dumps(answer).encode(), None, ["x"])
    assert failed.value.fault.code is FaultCode.BAD_ANSWER


def test_an_answer_may_be_as_large_as_our_maps_are_as_text() -> None:
    """Five maps of half the side, 20 characters a value; and never so large that memory ends."""
    picture = {"image": np.zeros((1, 384, 320, 3), np.uint8)}
    assert 5 * 192 * 160 * 20 < tensor_wire.answer_limit(picture) < 8_000_000
    many = {"image": np.zeros((64, 384, 320, 3), np.uint8)}
    assert tensor_wire.answer_limit(many) == 64 * 1024 * 1024
