"""A session gives a Segmenter's maps on the provider that was asked for, or does not open."""

from __future__ import annotations

import gc
import hashlib
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest

from services.inference.errors import ModelRefused
from services.inference.models.card import Device, ModelCard
from services.inference.models.providers import Tuning
from services.inference.models.registry import Model, load_model
from services.inference.models.sessions import OnnxSegmenter, open_session
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.segment import BODY, GARMENT, OTHER, Hint, Segmenter
from tests.unit.test_models_registry import card, hinted_card, publish
from tests.unit.tiny_onnx import hinted_model, saliency_model, tiny_model

RED, DARK, LIGHT = (220, 20, 20), (5, 5, 5), (240, 240, 240)
INTERIOR = 4


def model_of(onnx: bytes, **changes: object) -> Model:
    return Model(ModelCard.model_validate(card(onnx, **changes)), onnx)


def hinted() -> Model:
    onnx = hinted_model()
    return Model(ModelCard.model_validate(hinted_card(onnx)), onnx)


def batch(*colours: tuple[int, int, int]) -> U8:
    return np.stack([np.full((64, 48, 3), colour, np.uint8) for colour in colours])


def found(maps: F32) -> list[int]:
    """The class that each picture is."""
    return [int(picture[:INTERIOR].mean(axis=(1, 2)).argmax()) for picture in maps]


def auto(count: int) -> list[Hint]:
    return [Hint.AUTO] * count


def test_a_session_is_a_segmenter() -> None:
    """Pictures in RGB order, any number of them, each with its own maps; what it does not know is 0."""
    segmenter: Segmenter = open_session(model_of(tiny_model()))
    maps = segmenter.maps(batch(RED, DARK, LIGHT), auto(3))
    assert maps.shape == (3, 5, 32, 24)
    assert maps.dtype == np.float32
    assert np.allclose(maps[:, :INTERIOR].sum(axis=1), 1, atol=1e-5)
    assert found(maps) == [GARMENT, BODY, 0]
    assert not maps[:, [OTHER, INTERIOR]].any()
    assert (segmenter.name, segmenter.input_size) == ("tiny@1.0.0", (64, 48))


def test_each_picture_has_its_own_hint() -> None:
    """The garment that is asked for is an input of a conditioned model; its fifth channel is the interior."""
    hints = [Hint.AUTO, Hint.LOWER, Hint.UPPER, Hint.LOWER]
    maps = open_session(hinted()).maps(batch(RED, RED, DARK, DARK), hints)
    assert found(maps) == [GARMENT, OTHER, BODY, OTHER]
    assert np.round(maps[:, INTERIOR].mean(axis=(1, 2)), 1).tolist() == [0.0, 0.0, 1.0, 1.0]


def test_threads_share_a_session() -> None:
    """Runs may overlap and each gets its own answer."""
    segmenter = open_session(model_of(tiny_model()))
    inputs = [batch(RED), batch(DARK)] * 40
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(partial(segmenter.maps, hints=auto(1)), inputs))
    assert [found(maps)[0] for maps in results] == [GARMENT, BODY] * 40


@pytest.mark.parametrize("count", [1, 2, 3, 5, 9])
def test_batches_of_any_size_are_cut_and_filled_to_the_buckets(count: int) -> None:
    """Nothing of the filling comes out, and each picture gets what it gets alone."""
    rng = np.random.default_rng(count)
    pictures = rng.integers(0, 255, (count, 64, 48, 3)).astype(np.uint8)
    hints = [list(Hint)[place % 4] for place in range(count)]
    alone, together = open_session(hinted()), open_session(hinted(), tuning=Tuning(max_batch=4))
    assert (alone.buckets, together.buckets) == ((1,), (1, 2, 4))
    assert np.allclose(together.maps(pictures, hints), alone.maps(pictures, hints), atol=1e-6)


def test_an_answer_stays_when_the_buffers_are_used_again() -> None:
    """What a caller holds is its own and no view of a buffer."""
    segmenter = open_session(model_of(tiny_model()))
    first = segmenter.maps(batch(RED), auto(1))
    kept = first.copy()
    segmenter.maps(batch(DARK), auto(1))
    assert np.array_equal(first, kept)


def test_a_failed_run_does_not_spoil_the_next() -> None:
    """Pictures of the wrong size are refused, then the right ones work."""
    segmenter = open_session(model_of(tiny_model()))
    with pytest.raises(ValueError, match="broadcast"):
        segmenter.maps(np.zeros((1, 32, 48, 3), np.uint8), auto(1))
    assert found(segmenter.maps(batch(RED), auto(1))) == [GARMENT]


def test_a_closed_model_is_gone_at_once() -> None:
    """Its memory is free with the last reference, without the garbage collector."""
    segmenter = open_session(model_of(tiny_model()))
    segmenter.maps(batch(RED), auto(1))
    gone = weakref.ref(segmenter)
    gc.disable()
    try:
        del segmenter
        assert gone() is None
    finally:
        gc.enable()


def test_a_fixed_batch_axis_is_kept_to() -> None:
    """An export for one picture runs several one by one, whatever the tuning says."""
    onnx = saliency_model(64, 64, batch=1)
    about = {"layout": "NCHW", "dtype": "float32", "height": 64, "width": 64}
    model = model_of(onnx, input=about, output={"channels": ["garment"]})
    segmenter = open_session(model, tuning=Tuning(max_batch=8))
    assert segmenter.buckets == (1,)
    assert segmenter.maps(np.zeros((3, 64, 64, 3), np.uint8), auto(3)).shape == (3, 5, 64, 64)


@pytest.mark.parametrize("provider", ["auto", "cpu"])
def test_auto_and_cpu_open_anywhere(provider: str) -> None:
    """And say where they run."""
    active = open_session(model_of(tiny_model()), provider).provider
    assert active in ort.get_available_providers()


@pytest.mark.parametrize(("provider", "wanted"), [("cuda", "CUDA"), ("tensorrt", "Tensorrt")])
def test_a_provider_asked_for_by_name_is_active_or_refused(
    provider: str, wanted: str, tmp_path: Path
) -> None:
    """ONNX Runtime would fall back to the CPU and say nothing."""
    active = ""
    with suppress(ModelRefused):
        tuning = Tuning(engine_cache=tmp_path)
        active = open_session(model_of(tiny_model()), provider, tuning=tuning).provider
    listed = any(name.startswith(wanted) for name in ort.get_available_providers())
    assert active.startswith(wanted) if listed and active else active == ""


def pretend_cuda(monkeypatch: pytest.MonkeyPatch, *, raises: bool) -> None:
    """The runtime lists CUDA and then serves from the CPU or fails, as it does when a library is missing."""
    available = [*ort.get_available_providers(), "CUDAExecutionProvider"]
    real = ort.InferenceSession

    def opened(onnx: bytes, options: Any, providers: Sequence[Any], **_: Any) -> ort.InferenceSession:
        if raises and len(providers) > 1:
            raise RuntimeError("libcudnn is missing")
        return real(onnx, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(ort, "get_available_providers", lambda: available)
    monkeypatch.setattr(ort, "InferenceSession", opened)


def test_a_silent_fall_back_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """`auto` takes it and an explicit choice does not."""
    pretend_cuda(monkeypatch, raises=False)
    assert open_session(model_of(tiny_model()), "auto").provider == "CPUExecutionProvider"
    with pytest.raises(ModelRefused, match="cuda was asked for and CPUExecutionProvider is active"):
        open_session(model_of(tiny_model()), "cuda")


def test_auto_goes_to_the_cpu_when_the_gpu_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """And an explicit choice says what is missing."""
    pretend_cuda(monkeypatch, raises=True)
    segmenter: OnnxSegmenter = open_session(model_of(tiny_model()), "auto")
    assert segmenter.device is Device.CPU
    with pytest.raises(ModelRefused, match="libcudnn is missing"):
        open_session(model_of(tiny_model()), "cuda")


def test_an_unknown_provider_is_refused() -> None:
    """With the names that there are."""
    with pytest.raises(ModelRefused, match="auto, cpu, cuda, tensorrt"):
        open_session(model_of(tiny_model()), "gpu")


@pytest.mark.parametrize(
    ("onnx", "said"),
    [
        (b"no model at all", "cannot open"),
        (tiny_model(classes=2), "does not run"),
        (tiny_model(softmax=False), "add up to 1"),
        (tiny_model(height=128), "does not run"),
    ],
)
def test_a_file_that_gives_no_probabilities_is_refused(onnx: bytes, said: str) -> None:
    """At start, not at the first customer's photo."""
    with pytest.raises(ModelRefused, match=said):
        open_session(model_of(onnx))


def test_an_output_of_another_size_is_refused() -> None:
    """Than the card's stride says."""
    output = {"stride": 4, "channels": ["background", "garment", "body"]}
    with pytest.raises(ModelRefused, match=r"gives \(1, 5, 64, 48\)"):
        open_session(model_of(tiny_model(), output=output))


def test_a_model_with_other_names_is_refused() -> None:
    """Of its tensors."""
    onnx = tiny_model()
    output = {"name": "maps", "stride": 2, "channels": ["background", "garment", "body"]}
    with pytest.raises(ModelRefused, match="does not run"):
        open_session(model_of(onnx, output=output))


def test_the_built_in_model_runs() -> None:
    """On the CPU, with the signature that the pipeline expects."""
    segmenter = open_session(load_model(), "cpu")
    height, width = segmenter.input_size
    maps = segmenter.maps(np.full((2, height, width, 3), 128, np.uint8), [Hint.AUTO, Hint.UPPER])
    assert maps.shape == (2, 5, height // 2, width // 2)


def test_a_model_folder_works_from_card_to_answer(tmp_path: Path) -> None:
    """What training publishes is what the service runs."""
    onnx = tiny_model()
    files = {"int8": {"file": "model.onnx", "sha256": hashlib.sha256(onnx).hexdigest()}}
    segmenter = open_session(load_model("tiny", publish(tmp_path, onnx, files=files)))
    assert segmenter.maps(batch(RED), auto(1))[0, GARMENT].min() > 0.9
