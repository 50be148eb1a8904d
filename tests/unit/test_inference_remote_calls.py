"""The pipeline's end of a call: the maps of a model here, answers that are none, and threads that wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from libs.common.contracts.providers import FaultCode
from libs.common.errors import Unavailable
from services.inference.errors import LeaseRefused, ModelRefused, RouteNotOpen
from services.inference.models.card import ModelCard, Precision
from services.inference.models.registry import load_model
from services.inference.models.sessions import open_session
from services.inference.pipeline.segment import Hint
from services.inference.providers.provider import CallFailed, Tensors
from services.inference.remote.calls import Bridge, Cores, fault_of
from services.inference.remote.segmenter import RemoteSegmenter

MODEL = load_model(precision=Precision.FP32)
CARD = MODEL.card
LIMIT_S = 10.0


@pytest.fixture(scope="module")
def session() -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return ort.InferenceSession(MODEL.onnx, options, providers=["CPUExecutionProvider"])


def pictures(count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    shape = (count, CARD.input.height, CARD.input.width, 3)
    return np.random.default_rng(1).integers(0, 255, shape, np.uint8)


def remote(answer: Callable[[Tensors, list[str]], Any], card: ModelCard = CARD) -> RemoteSegmenter:
    return RemoteSegmenter(card, answer)  # type: ignore[arg-type]


def test_a_remote_model_gives_what_the_same_one_gives_here(session: ort.InferenceSession) -> None:
    """For every hint, in the same bits."""

    def run(inputs: Tensors, outputs: list[str]) -> Tensors:
        return dict(zip(outputs, session.run(outputs, dict(inputs)), strict=True))

    there, here = remote(run), open_session(MODEL, "cpu")
    hints = list(Hint)
    batch = pictures(len(hints))
    ours = np.concatenate([here.maps(batch[at : at + 1], hints[at : at + 1]) for at in range(len(hints))])
    theirs = np.concatenate([there.maps(batch[at : at + 1], hints[at : at + 1]) for at in range(len(hints))])
    assert np.array_equal(ours, theirs)
    assert (there.input_size, there.fit, there.name) == (here.input_size, here.fit, here.name)


def good(**changes: Any) -> dict[str, Any]:
    values = np.zeros((1, 5, CARD.input.height // 2, CARD.input.width // 2), np.float32)
    values[:, 0] = 1
    return {"maps": values} | changes


def spoilt(value: float) -> np.ndarray[Any, np.dtype[np.float32]]:
    values: np.ndarray[Any, np.dtype[np.float32]] = good()["maps"]
    values[0, 4, 3, 3] = value
    return values


def test_a_well_formed_answer_is_taken_at_half_precision_too() -> None:
    """A server may run the model in fp16."""
    half = good(maps=good()["maps"].astype(np.float16))
    assert remote(lambda *_: half).maps(pictures(1), [Hint.AUTO]).dtype == np.float32


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"other": good()["maps"]},
        good(maps=good()["maps"][:, :4]),
        good(maps=np.repeat(good()["maps"], 2, axis=0)),
        good(maps=good()["maps"].astype(np.int64)),
        good(maps=spoilt(np.nan)),
        good(maps=spoilt(np.inf)),
        good(maps=spoilt(7)),
        good(maps=np.zeros_like(good()["maps"])),
    ],
    ids=["nothing", "another name", "channels", "batch", "integers", "nan", "inf", "no chance", "no sum"],
)
def test_an_answer_that_is_none_of_the_model_is_a_fault_of_the_provider(answer: dict[str, Any]) -> None:
    """Nothing of it gets into a picture."""
    with pytest.raises(CallFailed) as failed:
        remote(lambda *_: answer).maps(pictures(1), [Hint.AUTO])
    assert failed.value.fault.code is FaultCode.BAD_ANSWER


def test_a_card_without_names_can_t_be_called_for() -> None:
    """The graph that knows them is elsewhere."""
    nameless = CARD.model_copy(update={"output": CARD.output.model_copy(update={"name": None})})
    with pytest.raises(ModelRefused):
        remote(lambda *_: good(), nameless)


async def test_a_thread_gets_what_the_loop_made_for_it() -> None:
    """Or what went wrong there."""
    bridge = Bridge()

    async def answer() -> str:
        return threading.current_thread().name

    async def fail() -> str:
        raise CallFailed(FaultCode.TIMEOUT, "no answer")

    assert await asyncio.to_thread(bridge.wait_for, answer) == threading.current_thread().name
    with pytest.raises(CallFailed, match="no answer"):
        await asyncio.to_thread(bridge.wait_for, fail)


async def test_nobody_waits_for_a_bridge_that_is_closed() -> None:
    """Or a process could never stop."""
    bridge, waiting = Bridge(), asyncio.Event()

    async def never() -> None:
        waiting.set()
        await asyncio.Event().wait()

    thread = asyncio.create_task(asyncio.to_thread(bridge.wait_for, never))
    async with asyncio.timeout(LIMIT_S):
        await waiting.wait()
        bridge.close()
        bridge.close()
        with pytest.raises(Unavailable):
            await thread
        with pytest.raises(Unavailable):
            await asyncio.to_thread(bridge.wait_for, never)


def test_a_render_that_waits_takes_no_core() -> None:
    """Another one works meanwhile."""
    cores, done = Cores(1), []

    def other() -> None:
        with cores.at_work():
            done.append("other")

    with cores.at_work(), cores.waiting():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(LIMIT_S)
        assert done == ["other"]


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (LeaseRefused("credential_not_usable", "disabled"), FaultCode.REVOKED),
        (RouteNotOpen("route_not_open", "cancelled"), FaultCode.UNAVAILABLE),
    ],
)
def test_a_lease_that_is_refused_closes_the_route(refused: LeaseRefused, code: FaultCode) -> None:
    """It speaks against the key only where the vault said so."""
    assert fault_of(refused).code is code
