"""One try at a delivery: signed, posted, and what came of it."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from aiohttp import ClientError, ClientResponse, ClientSession

from libs.common.db import Row
from libs.common.egress import is_forbidden
from services.webhooks import sign
from services.webhooks.clock import Clock
from services.webhooks.schedule import retry_after_s
from services.webhooks.seal import Seal

_BODY_LIMIT = 4096
_BODY_S = 1.0
_HEADERS = {
    "content-type": "application/json",
    "user-agent": "Mannequin-Webhooks/1",
    "accept-encoding": "identity",
}
_GONE = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a try: an HTTP status, or in words why there is none."""

    at: datetime
    duration_ms: int
    status_code: int | None = None
    error: str | None = None
    retry_after_s: float = 0

    @property
    def delivered(self) -> bool:
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def gone(self) -> bool:
        """The endpoint wants nothing more, ever."""
        return self.status_code == _GONE


class Sender:
    """Makes tries over a guarded session."""

    def __init__(self, session: ClientSession, seal: Seal, clock: Clock) -> None:
        self._session = session
        self._seal = seal
        self._clock = clock

    async def send(self, delivery: Row) -> Answer:
        """Try once; raises nothing that the endpoint could cause."""
        at, began = self._clock(), time.perf_counter()
        status, error, wish = await self._post(delivery, at)
        return Answer(at, round((time.perf_counter() - began) * 1000), status, error, wish)

    async def _post(self, delivery: Row, at: datetime) -> tuple[int | None, str | None, float]:
        body = delivery["payload"].encode()
        headers = _HEADERS | sign.headers(delivery["id"], int(at.timestamp()), body, self._secrets(delivery))
        try:
            async with self._session.post(
                delivery["url"], data=body, headers=headers, allow_redirects=False
            ) as response:
                await _discard(response)
                wish = retry_after_s(response.headers.get("retry-after", ""), at)
                return response.status, _remark(response.status), wish
        except TimeoutError:
            return None, "no answer in time", 0
        except (ClientError, OSError, ValueError) as failed:
            return None, _reason(failed), 0

    def _secrets(self, delivery: Row) -> list[sign.Secret]:
        sealed = [delivery["secret"], *([delivery["old_secret"]] if delivery["old_secret_signs"] else [])]
        return [self._seal.open(secret) for secret in sealed]


async def _discard(response: ClientResponse) -> None:
    """Read a short body to its end, so that the connection can be used again; only the status counts."""
    left = _BODY_LIMIT
    with suppress(ClientError, TimeoutError):
        async with asyncio.timeout(_BODY_S):
            while left > 0 and (piece := await response.content.read(left)):
                left -= len(piece)


def _remark(status: int) -> str | None:
    return "redirects are not followed; register the address it leads to" if 300 <= status < 400 else None


def _reason(failed: Exception) -> str:
    """Without the exception's own text: what a host that is not public says is nobody's business."""
    if is_forbidden(failed):
        return "the host leads to an address that is not public"
    return f"no answer: {type(failed).__name__}"
