"""A session gives a Segmenter's probabilities on the provider that was asked for, or does not open."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from services.inference.errors import ModelRefused
from services.inference.models.registry import Model, ModelCard, load_model
from services.inference.models.sessions import open_session
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.segment import BODY, GARMENT, Segmenter
from tests.unit.test_models_registry import card, publish
from tests.unit.tiny_onnx import tiny_model


def model_of(onnx: bytes, **changes: object) -> Model:
    return Model(ModelCard.model_validate(card(onnx, **changes)), onnx)


def batch(*colours: tuple[int, int, int]) -> U8:
    return np.stack([np.full((64, 48, 3), colour, np.uint8) for colour in colours])


def test_a_session_is_a_segmenter() -> None:
    """Pictures in RGB order, any number of them, each with its own probabilities."""
    segmenter: Segmenter = open_session(model_of(tiny_model()))
    maps = segmenter.probabilities(batch((220, 20, 20), (5, 5, 5), (240, 240, 240)))
    assert maps.shape == (3, 3, 32, 24)
    assert maps.dtype == np.float32
    assert np.allclose(maps.sum(axis=1), 1, atol=1e-5)
    assert [int(picture.mean(axis=(1, 2)).argmax()) for picture in maps] == [GARMENT, BODY, 0]
    assert (segmenter.name, segmenter.input_size) == ("tiny@1.0.0", (64, 48))


def test_threads_share_a_session() -> None:
    """Runs may overlap and each gets its own answer."""
    segmenter = open_session(model_of(tiny_model()))
    inputs = [batch((220, 20, 20)), batch((5, 5, 5))] * 20
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(segmenter.probabilities, inputs))
    found = [int(maps[0].mean(axis=(1, 2)).argmax()) for maps in results]
    assert found == [GARMENT, BODY] * 20


@pytest.mark.parametrize("provider", ["auto", "cpu"])
def test_auto_and_cpu_open_anywhere(provider: str) -> None:
    """And say where they run."""
    active = open_session(model_of(tiny_model()), provider).provider
    assert active in ort.get_available_providers()


@pytest.mark.parametrize(("provider", "wanted"), [("cuda", "CUDA"), ("tensorrt", "Tensorrt")])
def test_a_provider_asked_for_by_name_is_active_or_refused(provider: str, wanted: str) -> None:
    """ONNX Runtime would fall back to the CPU and say nothing."""
    active = ""
    with suppress(ModelRefused):
        active = open_session(model_of(tiny_model()), provider).provider
    listed = any(name.startswith(wanted) for name in ort.get_available_providers())
    assert active.startswith(wanted) if listed and active else active == ""


def test_a_silent_fall_back_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runtime lists CUDA and then serves from the CPU, as it does when a library is missing."""
    available = [*ort.get_available_providers(), "CUDAExecutionProvider"]
    monkeypatch.setattr(ort, "get_available_providers", lambda: available)
    real = ort.InferenceSession
    on_cpu = partial(real, providers=["CPUExecutionProvider"])
    monkeypatch.setattr(ort, "InferenceSession", lambda onnx, options, providers: on_cpu(onnx, options))
    assert open_session(model_of(tiny_model()), "auto").provider == "CPUExecutionProvider"
    with pytest.raises(ModelRefused, match="cuda was asked for and CPUExecutionProvider is active"):
        open_session(model_of(tiny_model()), "cuda")


def test_an_unknown_provider_is_refused() -> None:
    """With the names that there are."""
    with pytest.raises(ModelRefused, match="auto, cpu, cuda, tensorrt"):
        open_session(model_of(tiny_model()), "gpu")


@pytest.mark.parametrize(
    ("onnx", "said"),
    [
        (b"no model at all", "cannot open"),
        (tiny_model(classes=2), "gives"),
        (tiny_model(softmax=False), "add up to 1"),
        (tiny_model(height=128), "does not run"),
    ],
)
def test_a_file_that_gives_no_probabilities_is_refused(onnx: bytes, said: str) -> None:
    """At start, not at the first customer's photo."""
    with pytest.raises(ModelRefused, match=said):
        open_session(model_of(onnx))


def test_a_model_with_other_names_is_refused() -> None:
    """Of its tensors."""
    onnx = tiny_model()
    with pytest.raises(ModelRefused, match="does not run"):
        open_session(model_of(onnx, output="maps"))


def test_the_built_in_model_runs() -> None:
    """On the CPU, with the signature that the pipeline expects."""
    segmenter = open_session(load_model(), "cpu")
    height, width = segmenter.input_size
    maps = segmenter.probabilities(np.full((2, height, width, 3), 128, np.uint8))
    assert maps.shape == (2, 3, height // 2, width // 2)


def test_a_model_folder_works_from_card_to_answer(tmp_path: Path) -> None:
    """What training publishes is what the service runs."""
    segmenter = open_session(load_model("tiny", publish(tmp_path, tiny_model())))
    maps = segmenter.probabilities(batch((220, 20, 20)))
    assert maps[0, GARMENT].min() > 0.9
