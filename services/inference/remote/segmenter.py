"""The platform's own model on somebody else's machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.inference.errors import ModelRefused
from services.inference.models.card import ModelCard
from services.inference.models.tensors import hint_tensor, maps_of, picture_tensor
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.segment import Fit, Hint
from services.inference.providers.provider import Tensors
from services.inference.remote.answers import output_name, output_of, require_chances


class RemoteSegmenter:
    """A Segmenter that gives what `OnnxSegmenter` gives for the same model, wherever that runs.

    `run` takes the model's inputs by their names and the names of outputs, and gives those. `maps` raises
    CallFailed where that is no answer of the model. ModelRefused where the card names no tensors.
    """

    def __init__(self, card: ModelCard, run: Callable[[Tensors, Sequence[str]], Tensors]) -> None:
        require_names(card)
        self.name = card.label
        self._card = card
        self._run = run

    @property
    def input_size(self) -> tuple[int, int]:
        return self._card.input.height, self._card.input.width

    @property
    def fit(self) -> Fit:
        return self._card.input.fit

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        answer = self._run(self._inputs(batch, hints), [output_name(self._card)])
        output = output_of(answer, self._card, len(batch))
        return require_chances(maps_of(output, self._card.output, hints), self._card)

    def _inputs(self, batch: U8, hints: Sequence[Hint]) -> Tensors:
        inputs = {str(self._card.input.name): picture_tensor(batch, self._card.input)}
        return inputs if self._card.hint is None else {**inputs, self._card.hint.name: hint_tensor(hints)}


def require_names(card: ModelCard) -> None:
    """ModelRefused where the card leaves a tensor's name to the graph, which is not here."""
    if card.input.name is None or card.output.name is None:
        raise ModelRefused(f"model {card.label} can't be called remotely: its card names no input or output")
