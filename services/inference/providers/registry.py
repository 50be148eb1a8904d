"""The providers that a remote worker can call, and how to get a connection on a tenant's account."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from libs.common.contracts.providers import FaultCode, ProviderName
from libs.common.providers import card
from services.inference.providers.aws_sagemaker import AwsSagemaker
from services.inference.providers.calls import Guarded, only_call_failed
from services.inference.providers.google_vertex import GoogleVertex
from services.inference.providers.onnx import Onnx
from services.inference.providers.open_inference import OpenInference
from services.inference.providers.photoroom import Photoroom
from services.inference.providers.provider import Account, CallFailed, Connection, Provider
from services.inference.providers.surroundings import Surroundings

_CONNECT_S = 5.0

PROVIDERS: Mapping[ProviderName, Callable[[Surroundings], Provider]] = {
    ProviderName.OPEN_INFERENCE: OpenInference,
    ProviderName.AWS_SAGEMAKER: AwsSagemaker,
    ProviderName.GOOGLE_VERTEX: GoogleVertex,
    ProviderName.PHOTOROOM: Photoroom,
    ProviderName.ONNX: Onnx,
}
"""One row each; who is not here can't be called from a remote worker."""


async def open_connection(
    provider: ProviderName, account: Account, around: Surroundings | None = None
) -> Connection:
    """A connection on an account, with the shared layer (`calls.py`) around it. Raises CallFailed.

    Give one `around` to all connections of a process: what limits an account is in it.
    """
    around = around or Surroundings()
    make = PROVIDERS.get(provider)
    if make is None:
        raise CallFailed(FaultCode.MALFORMED, f"{provider.value} is not called from here")
    limits = card(provider).limits
    inner = await only_call_failed(_CONNECT_S, lambda: make(around).connect(account))
    return Guarded(inner, limits, around.gates.of(provider, account, limits.concurrency))
