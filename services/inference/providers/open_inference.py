"""A tenant's own inference server, by the Open Inference Protocol v2
(https://github.com/kserve/open-inference-protocol): KServe, Triton, MLServer and others.
"""

from __future__ import annotations

from libs.common.contracts.providers import ProviderName
from libs.common.egress import Guard
from libs.common.providers import card
from services.inference.providers.open_inference_grpc import GrpcConnection
from services.inference.providers.open_inference_http import HttpConnection
from services.inference.providers.open_inference_target import SCHEMES, target_of
from services.inference.providers.provider import Account, Connection
from services.inference.providers.surroundings import Surroundings

_SPARE_S = 5.0
"""The shared layer's time-out comes first."""


class OpenInference:
    """See Provider."""

    name = ProviderName.OPEN_INFERENCE

    def __init__(self, around: Surroundings) -> None:
        self._allow_private = around.allow_private

    async def connect(self, account: Account) -> Connection:
        """Over gRPC where the URL says so, else over HTTP. Nothing is sent yet."""
        timeout_s = card(self.name).limits.timeout_s + _SPARE_S
        guard = Guard(allow_private=self._allow_private, timeout_s=timeout_s, schemes=SCHEMES)
        target = target_of(account, guard)
        if target.url.scheme in ("grpc", "grpcs"):
            return GrpcConnection(target, guard)
        return HttpConnection(target, guard)
