"""The same request twice is done once: answers are kept under the caller's Idempotency-Key for a day.

Source: draft-ietf-httpapi-idempotency-key-header-06. Keys are each tenant's own; those of the platform's
people are in rows of no tenant, which only the platform's role of the database sees. A request holds its
key by a lease that it keeps renewing; what a killed process left behind can be taken over once the lease is
out. Only answers that tell of success are kept: a refused request may be corrected and sent again under its
key.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from ulid import ULID

from libs.common.contracts.ids import Id, TenantId
from libs.common.db import Database, Transaction
from libs.common.errors import MannequinError
from libs.common.telemetry import logger
from services.gateway.errors import IdempotencyInProgress, IdempotencyKeyReused
from services.gateway.store import sql

LEASE_S = 30.0
KEPT_HOURS = 24
REPLAYED = {"Idempotent-Replayed": "true"}
_PLATFORM = "platform"
SomeId = TypeVar("SomeId", bound=Id)
_log = logger("gateway.idempotency")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it can be stored. `body` is a JSON object.

    once: fields of the body that are given this once and never stored, such as a new secret; a repeat has
    null.
    """

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    once: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def response(self, *, replayed: bool = False) -> Response:
        told = REPLAYED if replayed else {}
        return JSONResponse({**self.body, **self.once}, self.status, headers={**self.headers, **told})

    def stored(self) -> dict[str, Any]:
        body = {**self.body, **dict.fromkeys(self.once)}
        return {"status": self.status, "body": body, "headers": dict(self.headers)}


def fingerprint(*parts: str | bytes) -> str:
    """What tells one request from another: a SHA-256 (hex) over its parts."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


async def request_fingerprint(request: Request, keyed_by: bytes | None = None) -> str:
    """Of a request whose body is small: method, path, query and body.

    keyed_by: makes it an HMAC, which tells nothing about a body to those who do not have the key.
    """
    url = request.url
    plain = fingerprint(request.method, url.path, url.query, await request.body())
    return plain if keyed_by is None else hmac.digest(keyed_by, plain.encode(), "sha256").hex()


def stable_id(kind: type[SomeId], key: str, print_: str) -> SomeId:
    """The id of what a request makes, the same for each repeat of the request under its key.

    So that a repeat makes nothing anew even if the first answer was lost before it was stored. Such an id
    does not sort by time.
    """
    digest = hashlib.sha256(f"{kind.prefix}|{key}|{print_}".encode()).digest()
    return kind(f"{kind.prefix}_{str(ULID(digest[:16])).lower()}")


class Claim:
    """An idempotency key in the hands of one request. `stored`: the answer that it already has, if any."""

    def __init__(
        self, tenant: TenantId | None, key: str | None, stored: tuple[str, Answer] | None = None
    ) -> None:
        self.tenant = tenant
        self.owned_by = tenant or _PLATFORM
        self.key = key
        self.owner = f"req_{str(ULID()).lower()}"
        self.stored = stored

    @property
    def replays(self) -> bool:
        """Whether the request has been answered before, so that nothing must be done again."""
        return self.stored is not None

    def replay(self, print_: str) -> Answer:
        """The stored answer. IdempotencyKeyReused if it was given to another request."""
        assert self.stored is not None
        if self.stored[0] != print_:
            raise IdempotencyKeyReused
        return self.stored[1]

    async def keep(self, tx: Transaction, print_: str, answer: Answer) -> None:
        """Store the answer in the transaction of its effect. IdempotencyInProgress if the lease was lost."""
        if self.key is None:
            return
        kept = await tx.execute(
            sql.store_answer, self.owned_by, self.key, self.owner, print_, answer.stored()
        )
        if not kept:
            raise IdempotencyInProgress


class Idempotency:
    """The stored answers."""

    def __init__(self, database: Database, *, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._lease_s = lease_s

    async def once(
        self,
        request: Request,
        tenant: TenantId | None,
        key: str | None,
        work: Callable[[], Awaitable[Answer]],
        *,
        keyed_by: bytes | None = None,
    ) -> Response:
        """Do `work` unless it was done before. keyed_by: for bodies that hold a secret."""
        print_ = await request_fingerprint(request, keyed_by) if key else ""
        async with self.claim(tenant, key) as claim:
            if claim.replays:
                return claim.replay(print_).response(replayed=True)
            answer = await work()
            if key:
                async with self._rows(tenant) as tx:
                    await claim.keep(tx, print_, answer)
            return answer.response()

    @asynccontextmanager
    async def claim(self, tenant: TenantId | None, key: str | None) -> AsyncIterator[Claim]:
        """Hold `key` for a request; let go of it if the request fails. IdempotencyInProgress if another has
        it.
        """
        claim = await self._take(tenant, key) if key else Claim(tenant, None)
        if claim.key is None or claim.replays:
            yield claim
            return
        holding = asyncio.create_task(self._hold(claim))
        try:
            yield claim
        except BaseException:
            await asyncio.shield(self._release(claim))
            raise
        finally:
            holding.cancel()

    async def sweep(self) -> None:
        """Forget answers after a day; runs until cancelled."""
        while True:
            with suppress(MannequinError):
                async with self._database.platform("idempotency sweep") as tx:
                    await tx.execute(sql.sweep_idempotency, KEPT_HOURS)
            await asyncio.sleep(600)

    def _rows(self, tenant: TenantId | None) -> AbstractAsyncContextManager[Transaction]:
        return self._database.tenant(tenant) if tenant else self._database.platform("idempotency of staff")

    async def _take(self, tenant: TenantId | None, key: str) -> Claim:
        claim = Claim(tenant, key)
        async with self._rows(tenant) as tx:
            if await tx.fetchval(sql.claim_key, claim.owned_by, key, claim.owner, self._lease_s):
                return claim
            row = await tx.fetchrow(sql.get_answer, claim.owned_by, key)
        if row is None or row["answer"] is None:
            raise IdempotencyInProgress
        claim.stored = (row["fingerprint"], Answer(**row["answer"]))
        return claim

    async def _hold(self, claim: Claim) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            with suppress(MannequinError):
                async with self._rows(claim.tenant) as tx:
                    await tx.execute(sql.hold_key, claim.owned_by, claim.key, claim.owner, self._lease_s)

    async def _release(self, claim: Claim) -> None:
        try:
            async with self._rows(claim.tenant) as tx:
                await tx.execute(sql.release_key, claim.owned_by, claim.key, claim.owner)
        except MannequinError as error:
            _log.warning("idempotency_key_not_released", reason=error.detail)
