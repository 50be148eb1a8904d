"""What ONNX Runtime is asked for, checked without a GPU."""

from __future__ import annotations

from pathlib import Path

import onnxruntime as ort
import pytest

from services.inference.models import providers
from services.inference.models.card import Device, ModelCard, Precision
from services.inference.models.providers import Provider, Tuning
from services.inference.models.registry import Model, Registry
from services.inference.models.source import OnnxSource
from tests.unit.test_models_registry import card, hinted_card, publish
from tests.unit.tiny_onnx import hinted_model, tiny_model


def hinted(precision: Precision = Precision.FP32) -> Model:
    onnx = hinted_model()
    return Model(ModelCard.model_validate(hinted_card(onnx)), onnx, precision)


@pytest.fixture
def everything_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [providers.TENSORRT, providers.CUDA, providers.CPU]
    monkeypatch.setattr(ort, "get_available_providers", lambda: names)


@pytest.mark.usefixtures("everything_built_in")
@pytest.mark.parametrize(
    ("provider", "names"),
    [
        (Provider.CPU, ["CPUExecutionProvider"]),
        (Provider.AUTO, ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        (Provider.CUDA, ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        (Provider.TENSORRT, ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]),
    ],
)
def test_each_choice_has_its_order(provider: Provider, names: list[str], tmp_path: Path) -> None:
    """The one asked for first, the CPU last."""
    asked = providers.with_options(provider, hinted(), Tuning(engine_cache=tmp_path))
    assert [name for name, _ in asked] == names


def test_what_this_build_lacks_is_not_asked_for(tmp_path: Path) -> None:
    """ONNX Runtime warns about it at every start otherwise."""
    asked = providers.with_options(Provider.TENSORRT, hinted(), Tuning(engine_cache=tmp_path))
    assert {name for name, _ in asked} <= set(ort.get_available_providers())


def test_the_gpu_arena_is_bounded_and_grows_by_need() -> None:
    """Without a limit of its own the key is left out."""
    options = providers.cuda_options(Tuning(gpu_memory_mib=512, cuda_graphs=True))
    assert options["gpu_mem_limit"] == str(512 * 1024 * 1024)
    assert options["arena_extend_strategy"] == "kSameAsRequested"
    assert options["enable_cuda_graph"] == "1"
    assert "gpu_mem_limit" not in providers.cuda_options(Tuning())


def test_engines_are_kept_apart_by_all_that_they_depend_on(tmp_path: Path) -> None:
    """Model with precision, and ONNX Runtime; GPU and TensorRT come from the machine."""
    folders = {providers.engine_folder(tmp_path, hinted(precision)) for precision in Precision}
    assert len(folders) == len(Precision)
    folder = providers.engine_folder(tmp_path, hinted(Precision.FP16))
    assert folder.relative_to(tmp_path).parts[2:] == (f"onnxruntime-{ort.__version__}", "tiny@1.0.0+fp16")


def test_one_profile_spans_every_bucket(tmp_path: Path) -> None:
    """An engine is built once and not for each batch size that comes along."""
    options = providers.tensorrt_options(hinted(Precision.FP16), Tuning(engine_cache=tmp_path, max_batch=8))
    assert options["trt_profile_min_shapes"] == "image:1x64x48x3,hint:1"
    assert options["trt_profile_max_shapes"] == "image:8x64x48x3,hint:8"
    assert options["trt_fp16_enable"] == "1"
    assert Path(options["trt_engine_cache_path"]).is_dir()


def test_without_names_there_is_no_profile(tmp_path: Path) -> None:
    """TensorRT would refuse a name that the graph does not have."""
    onnx = tiny_model()
    about = card(onnx, input={"height": 64, "width": 48})
    model = Model(ModelCard.model_validate(about), onnx)
    options = providers.tensorrt_options(model, Tuning(engine_cache=tmp_path))
    assert not [key for key in options if "profile" in key]


@pytest.mark.parametrize(
    ("asked", "device", "buckets"),
    [
        (0, Device.CPU, (1,)),
        (0, Device.GPU, (1, 2, 4, 8, 16)),
        (1, Device.GPU, (1,)),
        (6, Device.CPU, (1, 2, 4, 6)),
        (16, Device.GPU, (1, 2, 4, 8, 16)),
        (32, Device.GPU, (1, 2, 4, 8, 16, 32)),
    ],
)
def test_buckets_end_with_the_largest_batch(asked: int, device: Device, buckets: tuple[int, ...]) -> None:
    """On a CPU there is one, unless more is asked for."""
    assert Tuning(max_batch=asked).buckets(device) == buckets


def test_auto_takes_the_cpus_file_when_the_gpu_does_not_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runtime lists CUDA and serves from the CPU: fp16, the GPU's choice, would be the wrong file."""
    folder = publish(tmp_path, tiny_model())
    about = card(tiny_model())
    about["files"]["fp16"] = about["files"]["fp32"]
    publish(tmp_path, tiny_model(), files=about["files"])
    available = [*ort.get_available_providers(), providers.CUDA]
    real = ort.InferenceSession
    monkeypatch.setattr(ort, "get_available_providers", lambda: available)
    monkeypatch.setattr(
        ort, "InferenceSession", lambda onnx, options, **_: real(onnx, options, providers=[providers.CPU])
    )
    assert OnnxSource(Registry(folder), "auto").open("tiny").name == "tiny@1.0.0"
    assert OnnxSource(Registry(folder), "cpu", Precision.FP16).open("tiny").name == "tiny@1.0.0+fp16"
