"""Runs of a session over buffers that are made once: a lane is one run at a time, of fixed batch sizes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from services.inference.models.card import Device
from services.inference.models.providers import CUDA

Tensor = NDArray[Any]
Feeds = Mapping[str, Tensor]
_NO_GRAPH = -1
_graph_numbers = itertools.count(1)
_ORT_DEVICES = {Device.CPU: "cpu", Device.GPU: "cuda"}


class Lane:
    """One run at a time on a session. Inputs and output of every bucket stay where they are in memory.

    That saves an allocation a run, and it is what CUDA graphs need: they replay fixed addresses and shapes.
    """

    def __init__(
        self, session: ort.InferenceSession, output: str, device: Device, buckets: Sequence[int]
    ) -> None:
        self._session = session
        self._output = output
        self._device = device
        self._buckets = tuple(buckets)
        self._bound: dict[int, _Bound] = {}

    @property
    def largest(self) -> int:
        """Pictures that fit into one run."""
        return self._buckets[-1]

    def run(self, feeds: Feeds) -> Tensor:
        """The output for a batch of up to `largest` pictures; a view that holds until the next run."""
        count = len(next(iter(feeds.values())))
        size = next(bucket for bucket in self._buckets if bucket >= count)
        bound = self._bound.get(size) or self._bind(size, feeds)
        return bound.run(feeds, count)

    def forget(self) -> None:
        """After a failed run: its buffers may be in any state, so the next one makes new ones."""
        self._bound.clear()

    def _bind(self, size: int, feeds: Feeds) -> _Bound:
        self._bound[size] = _Bound(self._session, self._output, self._device, size, feeds)
        return self._bound[size]


class _Bound:
    """A session's inputs and output bound to buffers for `size` pictures."""

    def __init__(
        self, session: ort.InferenceSession, output: str, device: Device, size: int, feeds: Feeds
    ) -> None:
        self._session = session
        self._options = _graph(next(_graph_numbers))
        self._inputs = {name: _Input(size, feed, device) for name, feed in feeds.items()}
        whole = {name: buffer.staged for name, buffer in self._inputs.items()}
        (first,) = session.run([output], whole, _graph(_NO_GRAPH))
        self._result = _buffer(np.zeros_like(first), device)
        self._binding = session.io_binding()
        for name, buffer in self._inputs.items():
            self._binding.bind_ortvalue_input(name, buffer.value)
        self._binding.bind_ortvalue_output(output, self._result)

    def run(self, feeds: Feeds, count: int) -> Tensor:
        for name, tensor in feeds.items():
            self._inputs[name].fill(tensor)
        self._session.run_with_iobinding(self._binding, self._options)
        return np.asarray(self._result.numpy())[:count]


class _Input:
    """One input: where pictures are put, and what the session reads; on the CPU the same memory.

    What lies behind a batch that does not fill it is computed too, and thrown away.
    """

    def __init__(self, size: int, feed: Tensor, device: Device) -> None:
        self._device = device
        self._pinned = None if device is Device.CPU else _pinned((size, *feed.shape[1:]), feed.dtype)
        self.staged = self._pinned[0] if self._pinned else np.zeros((size, *feed.shape[1:]), feed.dtype)
        self.value = _buffer(self.staged, device)

    def fill(self, tensor: Tensor) -> None:
        self.staged[: len(tensor)] = tensor
        if self._device is not Device.CPU:
            self.value.update_inplace(self.staged)


class Lanes:
    """The lanes of a model; whoever runs holds one.

    `make` gives a new one: at most `limit` of them, then callers wait. The one used last is taken first, so
    that only as many are made as runs overlap.
    """

    def __init__(self, make: Callable[[], Lane], limit: int) -> None:
        self._make = make
        self._free: list[Lane] = []
        self._places = threading.BoundedSemaphore(limit)

    @contextmanager
    def one(self) -> Iterator[Lane]:
        with self._places:
            try:
                lane = self._free.pop()  # one step under the GIL
            except IndexError:
                lane = self._make()
            try:
                yield lane
            except BaseException:
                lane.forget()
                raise
            finally:
                self._free.append(lane)


def _buffer(like: Tensor, device: Device) -> ort.OrtValue:
    """A tensor of the same shape and type there; on the CPU it is that very memory."""
    return ort.OrtValue.ortvalue_from_numpy(like, _ORT_DEVICES[device])


def _pinned(shape: Sequence[int], dtype: np.dtype[Any]) -> tuple[Tensor, ort.OrtValue] | None:
    """Zeros in page-locked memory of the CUDA provider, and what owns it; None where the runtime has none.

    From pageable memory the driver copies twice, and not beside a run.
    """
    try:
        place = next(found for found in ort.get_ep_devices() if found.ep_name == CUDA)
        memory = place.memory_info(ort.OrtDeviceMemoryType.HOST_ACCESSIBLE)
        owner = ort.OrtValue.ortvalue_from_shape_and_type(shape, dtype.type, memory_info=memory)
        pinned = np.asarray(owner.numpy())
    except Exception:  # noqa: BLE001  # a runtime without it says so in many ways, and works all the same
        return None
    pinned[...] = 0
    return (pinned, owner) if np.shares_memory(pinned, np.asarray(owner.numpy())) else None


def _graph(number: int) -> ort.RunOptions:
    """With CUDA graphs on, the run is captured and replayed under this number; elsewhere it says nothing."""
    options = ort.RunOptions()
    options.add_run_config_entry("gpu_graph_id", str(number))
    return options
