"""One request to a provider's own web API, and what came back: status and a body of limited size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO

from aiohttp import ClientError, ClientResponse, FormData
from yarl import URL

from libs.common.egress import Guard
from services.inference.providers.open_inference_http import connection_trouble, read_limited

_COMMON = {"Accept-Encoding": "identity", "User-Agent": "Mannequin/1"}
_SAID_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """`body` is whole where the status is 200, and otherwise no more than the beginning."""

    status: int
    media_type: str
    body: bytes = field(repr=False)


class WebCalls:
    """Requests through the egress guard. Redirects are answers like any other."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._session = guard.session()

    async def request(
        self,
        method: str,
        url: URL,
        limit: int,
        *,
        headers: Mapping[str, str],
        body: bytes | FormData | None = None,
    ) -> WebAnswer:
        """What the server says. CallFailed where it says nothing, or more than `limit` bytes."""
        data = BytesIO(body) if isinstance(body, bytes) else body  # sent in pieces, so that others go on
        try:
            async with self._session.request(
                method, url, data=data, headers={**_COMMON, **headers}, allow_redirects=False
            ) as response:
                said = await (
                    read_limited(response, limit) if response.status == 200 else _beginning(response)
                )
                return WebAnswer(response.status, response.content_type, said)
        except (ClientError, OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            trouble = connection_trouble(error)
        raise trouble

    async def close(self) -> None:
        """Twice is fine."""
        await self._session.close()
        await self._guard.close()


async def _beginning(response: ClientResponse) -> bytes:
    pieces = bytearray()
    async for piece in response.content.iter_any():
        pieces += piece
        if len(pieces) >= _SAID_BYTES:
            response.close()
            break
    return bytes(pieces[:_SAID_BYTES])
