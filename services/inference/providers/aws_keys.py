"""Keys of AWS: a tenant's own, and those of a role that they may take on, renewed before they end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from libs.common.contracts.providers import FaultCode
from services.inference.providers.faults import failed

_BEFORE_END = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Keys:
    """What signs a request. `session_token` comes with temporary ones."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


class RoleKeys:
    """The keys to use now. assume: takes on the role with the tenant's keys and gives the answer's
    `Credentials`; None where there is no role.
    """

    def __init__(self, own: Keys, assume: Callable[[Keys], Awaitable[Mapping[str, Any]]] | None) -> None:
        self._own = own
        self._assume = assume
        self._assumed: Keys | None = None
        self._end = datetime.min.replace(tzinfo=UTC)
        self._renewing = asyncio.Lock()

    async def current(self) -> Keys:
        """Raises CallFailed where the role may not be taken on."""
        if self._assume is None:
            return self._own
        async with self._renewing:
            if self._assumed is None or datetime.now(UTC) > self._end - _BEFORE_END:
                self._assumed, self._end = _read(await self._assume(self._own))
            return self._assumed


def _read(credentials: Mapping[str, Any]) -> tuple[Keys, datetime]:
    try:
        names = ("AccessKeyId", "SecretAccessKey", "SessionToken")
        keys = Keys(*(str(credentials[name]) for name in names))
        end: datetime = credentials["Expiration"]
    except KeyError:
        keys = None
    if keys is None:
        raise failed(FaultCode.BAD_ANSWER)
    return keys, end
