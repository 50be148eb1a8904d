"""Where ONNX Runtime runs a model, and with which options (as its execution providers' pages name them)."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import onnxruntime as ort

from services.inference.errors import ModelRefused
from services.inference.models.card import Device, ModelCard
from services.inference.models.registry import Model

Options = dict[str, str]


class Provider(StrEnum):
    """Where a model runs. `auto` takes CUDA if it works here and the CPU if not."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"
    TENSORRT = "tensorrt"


CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"
CHOICES = {
    Provider.AUTO: (CUDA, CPU),
    Provider.CPU: (CPU,),
    Provider.CUDA: (CUDA, CPU),
    Provider.TENSORRT: (TENSORRT, CUDA, CPU),
}
"""In order of preference. The CPU stays last, for the operators that the others lack."""
GPU_BUCKETS = (1, 2, 4, 8, 16)
CPU_BUCKETS = (1,)
"""A CPU core gains nothing from batches: 26 ms a picture alone, 29 in eights."""
_MIB = 1024 * 1024
_GPU_NAME = Path("/proc/driver/nvidia/gpus")
_TENSORRT_LIBRARIES = ("libnvinfer.so.11", "libnvinfer.so.10", "libnvinfer.so.8")


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a session may use.

    max_batch: pictures in one run (0: 16 on a GPU, 1 on a CPU). delay_ms: how long a run that is not full
    waits for more. gpu_sessions: sessions side by side on the GPU. gpu_memory_mib: limit of each one's arena
    (0: none; weights and workspaces of cuDNN come on top). cuda_graphs: capture each bucket's run once and
    replay it. engine_cache: folder of TensorRT's engines.
    """

    max_batch: int = 0
    delay_ms: float = 0.0
    gpu_sessions: int = 1
    gpu_memory_mib: int = 0
    cuda_graphs: bool = False
    engine_cache: Path = Path(".mannequin/engines")

    def buckets(self, device: Device) -> tuple[int, ...]:
        """The batch sizes that runs have, in rising order; a smaller batch is filled up to the next."""
        usual = CPU_BUCKETS if device is Device.CPU else GPU_BUCKETS
        if not self.max_batch:
            return usual
        return (*(size for size in GPU_BUCKETS if size < self.max_batch), self.max_batch)


def choice_of(provider: str) -> Provider:
    """Raises ModelRefused for a name that there is not."""
    try:
        return Provider(provider)
    except ValueError as exc:
        names = ", ".join(choice.value for choice in Provider)
        raise ModelRefused(f"there is no execution provider {provider!r}; choose one of {names}") from exc


def expected_device(provider: Provider) -> Device:
    """Where a session with this provider will run if everything is installed."""
    gpu = CUDA in ort.get_available_providers() if provider is Provider.AUTO else provider is not Provider.CPU
    return Device.GPU if gpu else Device.CPU


def device_of(active: str) -> Device:
    """Where a provider runs, by ONNX Runtime's name for it."""
    return Device.CPU if active == CPU else Device.GPU


def with_options(provider: Provider, model: Model, tuning: Tuning) -> list[tuple[str, Options]]:
    """The providers to ask for, of those that this build of ONNX Runtime has, each with its options."""
    options: dict[str, Callable[[], Options]] = {
        CPU: dict,
        CUDA: lambda: cuda_options(tuning),
        TENSORRT: lambda: tensorrt_options(model, tuning),
    }
    available = ort.get_available_providers()
    return [(name, options[name]()) for name in CHOICES[provider] if name in available]


def cuda_options(tuning: Tuning) -> Options:
    """Of the CUDA provider: an arena that grows by what is asked for and not by powers of two."""
    options = {
        "arena_extend_strategy": "kSameAsRequested",
        # Every bucket is run before the model is ready, so the search is over by then; by heuristic it is
        # short, and does not take workspaces of a GiB to find out that they are not worth it.
        "cudnn_conv_algo_search": "HEURISTIC",
        "do_copy_in_default_stream": "1",
        "enable_cuda_graph": str(int(tuning.cuda_graphs)),
    }
    if tuning.gpu_memory_mib:
        options["gpu_mem_limit"] = str(tuning.gpu_memory_mib * _MIB)
    return options


def tensorrt_options(model: Model, tuning: Tuning) -> Options:
    """Of the TensorRT provider: engines are kept, and one profile spans every bucket."""
    folder = engine_folder(tuning.engine_cache, model)
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(folder),
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(folder),
        "trt_fp16_enable": str(int(model.precision.value == "fp16")),
        "trt_cuda_graph_enable": str(int(tuning.cuda_graphs)),
        **_profiles(model.card, tuning.buckets(Device.GPU)),
    }


def engine_folder(cache: Path, model: Model) -> Path:
    """Engines hold for one GPU, TensorRT, ONNX Runtime and model alone: all of them are in the path."""
    parts = (_gpu_name(), f"tensorrt-{_tensorrt_version()}", f"onnxruntime-{ort.__version__}", model.label)
    return cache.joinpath(*(_safe(part) for part in parts))


def profile(card: ModelCard, batch: int) -> str:
    """The inputs' shapes as TensorRT's options write them: `image:1x416x320x3,hint:1`."""
    height, width = card.input.height, card.input.width
    pixels = (height, width, 3) if card.input.layout == "NHWC" else (3, height, width)
    picture = f"{card.input.name}:{'x'.join(map(str, (batch, *pixels)))}"
    return picture if card.hint is None else f"{picture},{card.hint.name}:{batch}"


def _profiles(card: ModelCard, buckets: tuple[int, ...]) -> Options:
    """Without the input's name TensorRT takes the shapes as they come, in the warm-up."""
    if card.input.name is None:
        return {}
    return {
        "trt_profile_min_shapes": profile(card, buckets[0]),
        "trt_profile_opt_shapes": profile(card, buckets[-1]),
        "trt_profile_max_shapes": profile(card, buckets[-1]),
    }


def _gpu_name() -> str:
    """The first GPU's model, as NVIDIA's driver tells it."""
    for about in sorted(_GPU_NAME.glob("*/information")):
        if found := re.search(r"^Model:\s*(.+?)\s*$", about.read_text(encoding="utf-8"), re.MULTILINE):
            return found[1]
    return "gpu"


def _tensorrt_version() -> str:
    library = next(_loaded(_TENSORRT_LIBRARIES), None)
    return str(library.getInferLibVersion()) if library else "none"


def _loaded(names: Sequence[str]) -> Iterator[ctypes.CDLL]:
    for name in names:
        try:
            yield ctypes.CDLL(name)
        except OSError:
            continue


def _safe(part: str) -> str:
    return re.sub(r"[^A-Za-z0-9.+@-]+", "-", part)
