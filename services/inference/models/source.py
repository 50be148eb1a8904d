"""Models of the registry, opened where and how the settings say."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.inference.models.batching import Batcher, LoadedSegmenter
from services.inference.models.card import Device, Precision
from services.inference.models.providers import Provider, Tuning, choice_of, expected_device
from services.inference.models.registry import Registry
from services.inference.models.sessions import OnnxSegmenter, open_session


@dataclass(frozen=True, slots=True)
class OnnxSource:
    """A Source on ONNX Runtime. `threads`: cores for each run on the CPU."""

    registry: Registry = field(default_factory=Registry)
    provider: str = Provider.AUTO
    precision: Precision = Precision.AUTO
    threads: int = 1
    tuning: Tuning = field(default_factory=Tuning)

    def fingerprint(self, reference: str) -> str:
        return self.registry.fingerprint(reference)

    def open(self, reference: str) -> LoadedSegmenter:
        expected = expected_device(choice_of(self.provider))
        segmenter = self._open(reference, self.provider, expected)
        if segmenter.device is not expected:  # `auto`, and the GPU's libraries do not work here after all
            segmenter = self._open(reference, Provider.CPU, Device.CPU)
        return self._batched(segmenter)

    def _open(self, reference: str, provider: str, device: Device) -> OnnxSegmenter:
        model = self.registry.load(reference, self.precision, device)
        return open_session(model, provider, self.threads, self.tuning)

    def _batched(self, segmenter: OnnxSegmenter) -> LoadedSegmenter:
        """Batches are for where they gain something: one picture a run needs no gathering."""
        largest = segmenter.buckets[-1]
        if largest == 1:
            return segmenter
        in_flight = 1 if segmenter.device is Device.CPU else self.tuning.gpu_sessions
        return Batcher(segmenter, max_batch=largest, delay_ms=self.tuning.delay_ms, in_flight=in_flight)
