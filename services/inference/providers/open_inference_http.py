"""The Open Inference Protocol v2 over HTTP, with raw tensors where the server announces them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import BytesIO

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorSSLError,
    ClientError,
    ClientResponse,
    ServerFingerprintMismatch,
)
from yarl import URL

from libs.common.contracts.providers import FaultCode
from libs.common.egress import Guard, is_forbidden
from services.inference.providers import tensor_wire
from services.inference.providers.faults import failed, failed_status, speaks_of_something_missing
from services.inference.providers.open_inference_target import TENSOR_FAULTS, Target
from services.inference.providers.provider import CallFailed, Connection, Drawing, Tensors

_JSON_SIZE = "Inference-Header-Content-Length"
_EXTENSIONS = frozenset({"binary_tensor_data", "binary_data"})
_HINT_BYTES = 2048
_METADATA_BYTES = 256 * 1024
_COMMON = {"Accept-Encoding": "identity", "User-Agent": "Mannequin/1"}


class HttpConnection(Connection):
    """See Connection."""

    def __init__(self, target: Target, guard: Guard) -> None:
        self._target = target
        self._guard = guard
        self._session = guard.session()
        self._raw: bool | None = None

    async def probe(self) -> None:
        """The model's metadata, then whether it is ready: neither runs it."""
        await self._request("GET", self._model_url, _METADATA_BYTES)
        await self._request("GET", self._model_url / "ready", _METADATA_BYTES)

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        if self._raw is None:
            self._raw = await self._announces_raw()
        limit = tensor_wire.answer_limit(inputs)
        if self._raw:
            body, size = tensor_wire.encode_binary(inputs, outputs)
            headers = {"Content-Type": "application/octet-stream", _JSON_SIZE: str(size)}
            return tensor_wire.decode(*await self._infer(body, headers, limit), outputs)
        # Text of some megabytes: in a thread, so that other calls go on meanwhile.
        body = await asyncio.to_thread(tensor_wire.encode_json, inputs, outputs)
        answer = await self._infer(body, {"Content-Type": "application/json"}, limit)
        return await asyncio.to_thread(tensor_wire.decode, *answer, outputs)

    async def ghost(self, photo: bytes, media_type: str) -> Drawing:
        raise failed(FaultCode.NOT_FOUND)

    async def on_model(
        self, photo: bytes, media_type: str, prompt: str, person: bytes | None = None
    ) -> Drawing:
        raise failed(FaultCode.NOT_FOUND)

    async def close(self) -> None:
        await self._session.close()
        await self._guard.close()

    @property
    def _model_url(self) -> URL:
        url = self._target.url / "v2/models" / self._target.model
        return url / "versions" / self._target.version if self._target.version else url

    async def _announces_raw(self) -> bool:
        """A server that keeps its metadata to itself is spoken to in JSON, which all understand."""
        try:
            body, _ = await self._request("GET", self._target.url / "v2", _METADATA_BYTES)
            extensions = json.loads(body).get("extensions", [])
            return not _EXTENSIONS.isdisjoint(extensions)
        except (CallFailed, ValueError, AttributeError, TypeError, RecursionError):
            return False

    async def _infer(self, body: bytes, headers: Mapping[str, str], limit: int) -> tuple[bytes, int | None]:
        return await self._request("POST", self._model_url / "infer", limit, body, headers)

    async def _request(
        self,
        method: str,
        url: URL,
        limit: int,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[bytes, int | None]:
        """The body of a 200 and the length of its JSON where raw bytes follow. Raises CallFailed."""
        sent = {**_COMMON, **self._target.headers, **(headers or {})}
        try:
            async with self._session.request(
                method, url, data=BytesIO(body) if body else None, headers=sent, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise _refusal(response.status, await _hint(response))
                return await read_limited(response, limit), _json_size(response)
        except (ClientError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            trouble = connection_trouble(error)
        raise trouble


def connection_trouble(error: Exception) -> CallFailed:
    """What it means that no answer came, without a word of the library's."""
    if is_forbidden(error):
        return failed(
            FaultCode.MALFORMED,
            sentence="the URL leads to an address that is not public, or is not encrypted",
        )
    if isinstance(error, ValueError):  # aiohttp's InvalidURL among them
        return failed(FaultCode.MALFORMED, sentence="the URL can't be called")
    if isinstance(
        error, ClientConnectorCertificateError | ClientConnectorSSLError | ServerFingerprintMismatch
    ):
        return failed(FaultCode.UNAVAILABLE, sentence="the server's certificate is not one to trust")
    return failed(FaultCode.UNAVAILABLE, type(error).__name__)


async def read_limited(response: ClientResponse, limit: int) -> bytes:
    """The body, of at most `limit` bytes. Raises CallFailed (bad_answer)."""
    pieces = bytearray()
    if (response.content_length or 0) <= limit:
        async for piece in response.content.iter_any():
            pieces += piece
            if len(pieces) > limit:
                break
        else:
            return bytes(pieces)
    response.close()
    raise failed(FaultCode.BAD_ANSWER, sentence=f"the provider's answer is larger than {limit} bytes")


def _refusal(status: int, hint: str) -> CallFailed:
    """Triton says 400 of a model that it does not have."""
    if status == 400 and speaks_of_something_missing(hint):
        return failed(FaultCode.NOT_FOUND, f"HTTP {status}")
    return failed_status(status, hint, TENSOR_FAULTS)


async def _hint(response: ClientResponse) -> str:
    """What the refusal says, to sort it by."""
    said = b""
    with suppress(ClientError, OSError):
        said = await response.content.read(_HINT_BYTES)
    return response.headers.get("WWW-Authenticate", "") + " " + said.decode("utf-8", "replace")


def _json_size(response: ClientResponse) -> int | None:
    size = response.headers.get(_JSON_SIZE)
    if size is None:
        return None
    if not size.isascii() or not size.isdigit() or len(size) > 9:
        raise failed(FaultCode.BAD_ANSWER, _JSON_SIZE)
    return int(size)
