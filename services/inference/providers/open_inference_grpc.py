"""The Open Inference Protocol v2 over gRPC, by Triton's client, which speaks to every server of it."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import grpc
from tritonclient.grpc import InferInput, InferRequestedOutput, InferResult
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException
from yarl import URL

from libs.common.contracts.providers import FaultCode
from libs.common.egress import ForbiddenAddress, Guard
from services.inference.providers import tensor_wire
from services.inference.providers.faults import failed, of_grpc
from services.inference.providers.open_inference_target import TENSOR_FAULTS, Target
from services.inference.providers.provider import Connection, Drawing, Tensors

Answer = TypeVar("Answer")
_PORTS = {"grpc": 80, "grpcs": 443}
_MOST = 64 * 1024 * 1024
_METADATA_BYTES = 16 * 1024
_KEEP_ALIVE_MS = 30_000


class GrpcConnection(Connection):
    """See Connection.

    The name is resolved once, and the channel is told the addresses by number, so it can't lead anywhere
    else later. TLS still checks the certificate against the name. A channel answers size limits for all
    calls alike: what an answer may have for its request is checked when it is there.
    """

    def __init__(self, target: Target, guard: Guard, trust: bytes | None = None) -> None:
        self._target = target
        self._guard = guard
        self._trust = trust
        self._headers = {name.lower(): value for name, value in target.headers.items()}
        self._client: InferenceServerClient | None = None
        self._opening = asyncio.Lock()

    async def probe(self) -> None:
        """The model's metadata, then whether it is ready: neither runs it."""
        client, named = await self._opened(), (self._target.model, self._target.version)
        await _sorted(lambda: client.get_model_metadata(*named, headers=self._headers))
        if not await _sorted(lambda: client.is_model_ready(*named, headers=self._headers)):
            raise failed(FaultCode.UNAVAILABLE, sentence="the model is not ready")

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        client = await self._opened()
        result = await _sorted(
            lambda: client.infer(
                self._target.model,
                [_input(name, array) for name, array in inputs.items()],
                model_version=self._target.version,
                outputs=[InferRequestedOutput(name) for name in outputs],
                headers=self._headers,
            )
        )
        return _outputs(result, outputs, tensor_wire.answer_limit(inputs))

    async def ghost(self, photo: bytes, media_type: str) -> Drawing:
        raise failed(FaultCode.NOT_FOUND)

    async def on_model(
        self, photo: bytes, media_type: str, prompt: str, person: bytes | None = None
    ) -> Drawing:
        raise failed(FaultCode.NOT_FOUND)

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()
        await self._guard.close()

    async def _opened(self) -> InferenceServerClient:
        async with self._opening:
            if self._client is None:
                self._client = self._channel(await self._addresses())
            return self._client

    async def _addresses(self) -> list[str]:
        try:
            return await self._guard.addresses(self._target.url)
        except ForbiddenAddress:
            fault = failed(FaultCode.MALFORMED, sentence="the URL leads to an address that is not public")
        except (OSError, UnicodeError):
            fault = failed(FaultCode.UNAVAILABLE, sentence="the host's name does not resolve")
        raise fault

    def _channel(self, addresses: Sequence[str]) -> InferenceServerClient:
        credentials = None
        if self._target.url.scheme == "grpcs":
            credentials = grpc.ssl_channel_credentials(root_certificates=self._trust)
        return InferenceServerClient(
            numeric_target(addresses, self._target.url.port or _PORTS[self._target.url.scheme]),
            creds=credentials,
            channel_args=_options(self._target.url),
        )


def numeric_target(addresses: Sequence[str], port: int) -> str:
    """gRPC's name for these addresses, of one family, that of the first
    (https://github.com/grpc/grpc/blob/master/doc/naming.md).
    """
    versions = {address: ipaddress.ip_address(address.partition("%")[0]).version for address in addresses}
    version = versions[addresses[0]]
    same = [address for address in addresses if versions[address] == version]
    written = [f"{address}:{port}" if version == 4 else f"[{address}]:{port}" for address in same]
    return f"ipv{version}:{','.join(written)}"


def _options(url: URL) -> list[tuple[str, Any]]:
    options: list[tuple[str, Any]] = [
        ("grpc.max_send_message_length", _MOST),
        ("grpc.max_receive_message_length", _MOST),
        ("grpc.max_metadata_size", _METADATA_BYTES),
        ("grpc.keepalive_time_ms", _KEEP_ALIVE_MS),
        ("grpc.enable_http_proxy", 0),
        ("grpc.service_config_disable_resolution", 1),
        ("grpc.enable_retries", 0),
        ("grpc.use_local_subchannel_pool", 1),
        ("grpc.default_authority", url.raw_authority),
    ]
    if url.scheme == "grpcs":
        options.append(("grpc.ssl_target_name_override", url.raw_host))
    return options


async def _sorted(call: Callable[[], Awaitable[Answer]]) -> Answer:
    try:
        return await call()
    except InferenceServerException as error:
        status, hint = error.status() or "", error.message() or ""
    except grpc.aio.UsageError:
        status, hint = "UNAVAILABLE", ""  # the channel was closed under it
    code = of_grpc(status, hint)
    raise failed(TENSOR_FAULTS.get(code, code), f"gRPC {status.rpartition('.')[2]}")


def _input(name: str, array: Any) -> InferInput:
    tensor = InferInput(name, list(array.shape), tensor_wire.datatype(array))
    return tensor.set_data_from_numpy(array)


def _outputs(result: InferResult, outputs: Sequence[str], limit: int) -> Tensors:
    try:
        if result.get_response().ByteSize() > limit:
            raise ValueError("too large")
        return {name: tensor_wire.usable(result.as_numpy(name)) for name in outputs}
    except (InferenceServerException, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        reason = type(error).__name__
    raise failed(FaultCode.BAD_ANSWER, reason)
