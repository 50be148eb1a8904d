"""What only the platform's own row promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from libs.common.contracts.providers import FaultCode
from services.inference.models.registry import Registry
from services.inference.providers.onnx import Onnx
from services.inference.providers.provider import Account, CallFailed
from services.inference.providers.surroundings import Surroundings
from tests.contract.providers.calls import OUTPUTS, tensors

NOBODY = Account({}, {})


async def test_tensors_of_another_model_are_malformed() -> None:
    """By name and by shape, as for every server that runs the network."""
    connection = await Onnx(Surroundings()).connect(NOBODY)
    for inputs in ({"picture": tensors()["image"]}, {**tensors(), "image": np.zeros((1, 8, 8, 3), np.uint8)}):
        with pytest.raises(CallFailed) as failed:
            await connection.segment(inputs, OUTPUTS)
        assert failed.value.fault.code is FaultCode.MALFORMED
    await connection.close()


async def test_a_network_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """The platform's fault, and no tenant's."""
    with pytest.raises(CallFailed) as failed:
        await Onnx(Surroundings(), Registry(tmp_path)).connect(NOBODY)
    assert failed.value.fault.code is FaultCode.UNAVAILABLE
