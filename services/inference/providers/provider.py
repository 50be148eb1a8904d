"""The seam between a remote render and whoever computes it: one adapter a provider, all alike from here.

An adapter does one call at a time and sorts what goes wrong; time-outs, retries, the circuit breaker and the
number of calls at once are `calls.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from numpy.typing import NDArray

from libs.common.contracts.providers import Fault, FaultCode, ProviderName
from services.inference.errors import InferenceError

Tensors = Mapping[str, NDArray[Any]]


class CallFailed(InferenceError):
    """A call of a provider failed; `fault` says whose fault it is. Holds nothing of the credential."""

    def __init__(self, code: FaultCode, detail: str) -> None:
        self.fault = Fault(code=code, detail=detail[:500])
        super().__init__(f"{code}: {self.fault.detail}")


@dataclass(frozen=True, slots=True)
class Account:
    """A tenant's account at a provider: what it may be called with, and the secret that opens it."""

    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that a provider made: an encoded file in the frame of the photo that was sent."""

    data: bytes = field(repr=False)
    media_type: str
    model: str


class Connection(Protocol):
    """Calls on one account. Every method raises CallFailed; those of abilities that the provider lacks are
    never called. Safe to call from several tasks at once.
    """

    async def probe(self) -> None:
        """See whether the account may be used; costs its owner nothing."""

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        """Run the exported model on tensors: by the names, types and layouts of its card."""

    async def ghost(self, photo: bytes, media_type: str) -> Drawing:
        """The garment of an encoded photo without what it is worn on; the same frame and proportions."""

    async def on_model(
        self, photo: bytes, media_type: str, prompt: str, person: bytes | None = None
    ) -> Drawing:
        """The garment of an encoded photo worn by the person that `prompt` describes, or by that of an
        encoded photo `person` of the same type: then in that photo's frame.
        """

    async def close(self) -> None:
        """Let go of connections; twice is fine."""


class Provider(Protocol):
    """One file of this folder makes one of these; `providers/registry.py` lists them."""

    @property
    def name(self) -> ProviderName: ...

    async def connect(self, account: Account) -> Connection:
        """A connection on an account. CallFailed (malformed) where its fields can't be used."""
