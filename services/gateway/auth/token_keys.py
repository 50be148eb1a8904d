"""The public keys that tokens are verified with, as the vault's service last gave them."""

from __future__ import annotations

import asyncio
import time
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from libs.common.bus.bus import Delivery
from libs.common.contracts.tokens import TokenKeys
from libs.common.errors import MannequinError
from libs.common.telemetry import logger

EVERY_S = 60.0
SOON_S = 1.0
APART_S = 5.0
"""Between two readings for the sake of keys that nobody knows: anybody can name one."""
_log = logger("gateway.tokens")


class TokenKeyBook:
    """Keys by their `kid`. ask: for the JWK set; it may raise, then what is known stays."""

    def __init__(
        self, ask: Callable[[], Awaitable[TokenKeys]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._keys: Mapping[str, Ed25519PublicKey] = {}
        self._reading: asyncio.Task[None] | None = None
        self._last_search = float("-inf")
        self._wake = asyncio.Event()
        self.jwks: dict[str, Any] = {"keys": []}

    async def find(self, kid: str) -> Ed25519PublicKey | None:
        """The key; read anew if it is unknown, now and then. None: none such. Unavailable: none at all."""
        if kid not in self._keys and (not self._keys or self._may_search()):
            await self.read()
        return self._keys.get(kid)

    async def read(self) -> None:
        """Have the set again; those who want it at the same time share one request. MannequinError."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            self._reading.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.shield(self._reading)

    async def changed(self, _: Delivery) -> None:
        """Listener of TokenKeysChanged."""
        self._wake.set()

    async def run(self) -> None:
        """Read on each signal and every minute, sooner while nothing is known; until cancelled."""
        while True:
            try:
                await self.read()
            except MannequinError as error:
                _log.warning("token_keys_not_read", reason=error.detail)
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_S if self._keys else SOON_S):
                    await self._wake.wait()
            self._wake.clear()

    async def _read(self) -> None:
        found = (await self._ask()).keys
        self._keys = {key["kid"]: public_key(key) for key in found}
        self.jwks = {"keys": list(found)}

    def _may_search(self) -> bool:
        now = self._clock()
        if now - self._last_search < APART_S:
            return False
        self._last_search = now
        return True


def public_key(jwk: Mapping[str, Any]) -> Ed25519PublicKey:
    """Of a JWK (RFC 8037). ValueError if it is no Ed25519 key."""
    if (jwk.get("kty"), jwk.get("crv")) != ("OKP", "Ed25519"):
        raise ValueError("not an Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(jwk["x"] + "=="))
