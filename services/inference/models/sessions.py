"""Models run by ONNX Runtime: opened, checked, and warm before the first picture comes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial

import numpy as np
import onnxruntime as ort

from services.inference.errors import ModelRefused
from services.inference.models.card import Device
from services.inference.models.lanes import Feeds, Lane, Lanes
from services.inference.models.providers import (
    CHOICES,
    CPU,
    Provider,
    Tuning,
    choice_of,
    device_of,
    with_options,
)
from services.inference.models.registry import Model
from services.inference.models.tensors import COARSEST, hint_tensor, maps_of, picture_tensor
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.segment import CLASSES, Fit, Hint

_ERRORS_ONLY = 3
_MANY = 1024
_BYTES_A_PIXEL = 256
"""Of an input picture, in the arena of a run: measured 130 to 240 with U-Nets of 16 to 128 channels."""
_COPIES_OF_WEIGHTS = 2
"""As stored, and packed for the kernels."""


class OnnxSegmenter:
    """A Segmenter on sessions of ONNX Runtime."""

    def __init__(self, model: Model, sessions: Sequence[ort.InferenceSession], tuning: Tuning) -> None:
        self.name = model.label
        self._card = model.card
        self.provider = str(sessions[0].get_providers()[0])
        """The execution provider that is active, by ONNX Runtime's name."""
        inputs, outputs = sessions[0].get_inputs(), sessions[0].get_outputs()
        self._picture = model.card.input.name or inputs[0].name
        self.device = device = device_of(self.provider)
        self.buckets = _buckets(inputs[0].shape[0] if inputs else None, tuning, device)
        self._sessions = len(sessions)
        self.size_bytes = _size(model, self.buckets[-1], len(sessions))
        turns = itertools.cycle(sessions)  # one step under the GIL
        make = partial(_lane, turns, model.card.output.name or outputs[0].name, device, self.buckets)
        self._lanes = Lanes(make, _MANY if device is Device.CPU else len(sessions))

    @property
    def input_size(self) -> tuple[int, int]:
        return self._card.input.height, self._card.input.width

    @property
    def output_size(self) -> tuple[int, int]:
        """Height and width (px) of the maps."""
        step = min(self._card.output.stride, COARSEST)
        return self._card.input.height // step, self._card.input.width // step

    @property
    def fit(self) -> Fit:
        return self._card.input.fit

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        with self._lanes.one() as lane:
            step = lane.largest
            starts = range(0, len(batch), step)
            parts = [self._run(lane, batch[at : at + step], hints[at : at + step]) for at in starts]
        return np.concatenate(parts) if len(parts) > 1 else parts[0]

    def warm_up(self) -> F32:
        """Runs every bucket on every session; the last run's maps."""
        with ExitStack() as held:
            for lane in [held.enter_context(self._lanes.one()) for _ in range(self._sessions)]:
                for size in self.buckets:
                    grey = np.full((size, *self.input_size, 3), 128, np.uint8)
                    maps = self._run(lane, grey, [Hint.AUTO] * size)
        return maps

    def _run(self, lane: Lane, batch: U8, hints: Sequence[Hint]) -> F32:
        return maps_of(lane.run(self._feeds(batch, hints)), self._card.output, hints)

    def _feeds(self, batch: U8, hints: Sequence[Hint]) -> Feeds:
        feeds = {self._picture: picture_tensor(batch, self._card.input)}
        return feeds if self._card.hint is None else {**feeds, self._card.hint.name: hint_tensor(hints)}


def open_session(
    model: Model, provider: str = Provider.AUTO, threads: int = 1, tuning: Tuning | None = None
) -> OnnxSegmenter:
    """Opens a model and runs every bucket once. `threads` is a number of cores for each run on the CPU.

    Raises ModelRefused if the file is no model, if a provider asked for by name is not active (ONNX Runtime
    itself falls back to the CPU in silence), or if the output is not what a Segmenter gives.
    """
    choice, tuning = choice_of(provider), tuning or Tuning()
    sessions = [_open(model, choice, threads, tuning)]
    _require_provider(str(sessions[0].get_providers()[0]), choice)
    if sessions[0].get_providers()[0] != CPU:
        sessions += [_open(model, choice, threads, tuning) for _ in range(tuning.gpu_sessions - 1)]
    segmenter = OnnxSegmenter(model, sessions, tuning)
    _try_out(segmenter)
    return segmenter


def _lane(
    sessions: Iterator[ort.InferenceSession], output: str, device: Device, buckets: Sequence[int]
) -> Lane:
    return Lane(next(sessions), output, device, buckets)


def _open(model: Model, provider: Provider, threads: int, tuning: Tuning) -> ort.InferenceSession:
    """Without its own fall-back: that would go on from the CPU with a note on standard output."""
    wanted = with_options(provider, model, tuning)
    try:
        session = ort.InferenceSession(model.onnx, _options(threads), providers=wanted, enable_fallback=0)
    except Exception as exc:  # its errors share no base class
        if provider is Provider.AUTO and len(wanted) > 1:
            return _open(model, Provider.CPU, threads, tuning)
        raise ModelRefused(f"ONNX Runtime cannot open model {model.label}: {exc}") from exc
    session._model_bytes = None  # kept for a fall-back that is off: a second copy of every weight
    return session


def _options(threads: int) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _buckets(batch_axis: object, tuning: Tuning, device: Device) -> tuple[int, ...]:
    """Those of the tuning, or the one size that the graph is fixed to."""
    return (batch_axis,) if isinstance(batch_axis, int) else tuning.buckets(device)


def _size(model: Model, batch: int, sessions: int) -> int:
    """About what a model takes in memory (bytes), for the budget: its weights and the arena of its runs."""
    pixels = batch * model.card.input.height * model.card.input.width
    return sessions * (_COPIES_OF_WEIGHTS * len(model.onnx) + pixels * _BYTES_A_PIXEL)


def _require_provider(active: str, provider: Provider) -> None:
    wanted = CHOICES[provider][0]
    if provider is not Provider.AUTO and active != wanted:
        raise ModelRefused(
            f"execution provider {provider.value} was asked for and {active} is active: "
            f"install what {wanted} needs, or choose auto or cpu"
        )


def _try_out(segmenter: OnnxSegmenter) -> None:
    try:
        maps = segmenter.warm_up()
    except Exception as exc:  # as above
        raise ModelRefused(f"model {segmenter.name} does not run: {exc}") from exc
    height, width = segmenter.input_size
    if maps.shape[2:] != segmenter.output_size:
        raise ModelRefused(f"model {segmenter.name} gives {maps.shape} for a picture of {height}×{width}")
    if not np.allclose(maps[:, : len(CLASSES)].sum(axis=1), 1, atol=1e-2):
        raise ModelRefused(f"model {segmenter.name} gives no probabilities: they do not add up to 1")
