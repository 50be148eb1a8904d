"""Credentials on lease: asked for once a batch, kept in memory while they last, never anywhere else.

A lease comes sealed to a key that is made for it alone (HPKE, see `libs/common/sealing.py`). What it opens to
goes into the adapter's connection and is not kept here. A revocation is a signal, which can be lost: then the
lease's expiry, minutes later, does the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self, TypeVar

from libs.common.bus.bus import Bus, Delivery
from libs.common.contracts.credentials import (
    Lease,
    LeaseCredential,
    LeasePurpose,
    LeasesRevoked,
    ProbeCredential,
)
from libs.common.contracts.ids import BatchId, CredentialId, LeaseId, ProbeId, TenantId
from libs.common.contracts.providers import ProviderName, Route
from libs.common.errors import Conflict, Permanent, Refusal, Unavailable
from libs.common.sealing import NotSealedForThis, new_lease_key, open_lease
from libs.common.telemetry import logger
from services.inference.errors import LeaseRefused, RouteNotOpen
from services.inference.providers.provider import Account, Connection

Answer = TypeVar("Answer")
Connect = Callable[[ProviderName, Account], Awaitable[Connection]]
_log = logger("inference.leases")

_RENEW_AT, _DROP_AT = 0.6, 0.95
"""Parts of a lease's time."""
_AGAIN_S = (0.1, 0.3, 0.6)
"""Between tries where the batch service does not know the batch's images as in flight yet."""
_VAULT_AWAY_S = 5.0


@dataclass(frozen=True, slots=True)
class Use:
    """What a lease is for: a batch's images on a credential, or one check of it."""

    tenant: TenantId
    credential_id: CredentialId
    version: int
    provider: ProviderName
    settings: tuple[tuple[str, str], ...]
    batch_id: BatchId | None = None
    probe_id: ProbeId | None = None

    @classmethod
    def of_route(cls, tenant: TenantId, batch_id: BatchId, route: Route) -> Self:
        """Permanent where the route names no credential."""
        if route.credential_id is None or route.credential_version is None:
            raise Permanent("the route names no credential")
        return cls(
            tenant=tenant,
            credential_id=route.credential_id,
            version=route.credential_version,
            provider=route.provider,
            settings=tuple(sorted(route.settings.items())),
            batch_id=batch_id,
        )

    @classmethod
    def of_probe(cls, tenant: TenantId, probe: ProbeCredential) -> Self:
        return cls(
            tenant=tenant,
            credential_id=probe.credential_id,
            version=probe.version,
            provider=probe.provider,
            settings=tuple(sorted(probe.settings.items())),
            probe_id=probe.probe_id,
        )

    def query(self, worker: str, public_key: str, renews: LeaseId | None) -> LeaseCredential:
        return LeaseCredential(
            credential_id=self.credential_id,
            version=self.version,
            purpose=LeasePurpose.RENDER if self.probe_id is None else LeasePurpose.PROBE,
            batch_id=self.batch_id,
            probe_id=self.probe_id,
            worker=worker,
            public_key=public_key,
            renews=renews,
        )

    def is_answered_by(self, lease: Lease, worker: str) -> bool:
        """Whether a lease is for this and no other use."""
        mine = (self.credential_id, self.version, self.provider, self.batch_id, self.probe_id, worker)
        return mine == (
            lease.credential_id,
            lease.version,
            lease.provider,
            lease.batch_id,
            lease.probe_id,
            lease.worker,
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A lease that was opened just now, and the account that it opens."""

    lease: Lease
    account: Account = field(repr=False)

    @property
    def term_s(self) -> float:
        """Seconds that it lasts from now on."""
        return (self.lease.expires_at - datetime.now(UTC)).total_seconds()


class Lessor:
    """Takes leases from the vault as one worker."""

    def __init__(self, bus: Bus, worker: str) -> None:
        self._bus = bus
        self._worker = worker

    async def lease(self, use: Use, renews: LeaseId | None = None) -> Opened:
        """A new lease. LeaseRefused (RouteNotOpen); Unavailable if the vault does not answer, or with a lease
        that is not what was asked for.
        """
        private_key, public_key = new_lease_key()
        query = use.query(self._worker, public_key, renews)
        try:
            lease = await self._bus.request(query, tenant=use.tenant)
        except Refusal as refusal:
            raise _refused(refusal) from None
        if not use.is_answered_by(lease, self._worker):
            raise Unavailable("the vault answered with another lease than the one asked for")
        try:
            secrets = open_lease(lease, private_key, use.tenant)
        except NotSealedForThis:
            raise Unavailable("the vault answered with a lease that does not open") from None
        return Opened(lease, Account(dict(use.settings), secrets))


class Held:
    """A connection on a leased account, usable until the lease ends."""

    def __init__(self, lease: Lease, connection: Connection) -> None:
        self.lease_id = lease.id
        self.used = False
        """Whether a call was made since it was leased or renewed."""
        self.ended = False
        self._connection = connection
        self._calls = 0

    async def call(self, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """Make a call. LeaseRefused if the lease has ended; one that is being made then goes to its end."""
        if self.ended:
            raise LeaseRefused("lease_ended", "the lease has ended")
        self.used = True
        self._calls += 1
        try:
            return await work(self._connection)
        finally:
            self._calls -= 1
            await self._close_if_idle()

    async def end(self) -> None:
        """No further call begins; the connection is closed as soon as none is being made."""
        self.ended = True
        await self._close_if_idle()

    async def _close_if_idle(self) -> None:
        if self.ended and not self._calls:
            await self._connection.close()


class Leases:
    """The leases of one worker, one for each use, shared by all its chunks."""

    def __init__(self, lessor: Lessor, connect: Connect) -> None:
        self._lessor = lessor
        self._connect = connect
        self._held: dict[Use, Held] = {}
        self._keepers: dict[Use, asyncio.Task[None]] = {}
        self._opening: dict[Use, asyncio.Task[Held]] = {}
        self._revoked_meanwhile: set[Use] = set()

    async def get(self, use: Use) -> Held:
        """The lease, taken now if there is none; whoever asks meanwhile waits for that one.

        LeaseRefused (RouteNotOpen, after some tries); Unavailable if the vault does not answer; CallFailed
        where the provider can't be connected to.
        """
        held = self._held.get(use)
        if held is not None:
            return held
        opening = self._opening.get(use)
        if opening is None:
            opening = self._opening[use] = asyncio.create_task(self._open(use))
            opening.add_done_callback(_retrieved)
        return await asyncio.shield(opening)

    async def revoke(self, delivery: Delivery) -> None:
        """Listener of LeasesRevoked: no call on the credential begins from now on."""
        revoked = delivery.message
        assert isinstance(revoked, LeasesRevoked)
        self._revoked_meanwhile |= {use for use in self._opening if _concerns(revoked, use)}
        for use in [use for use in self._held if _concerns(revoked, use)]:
            await self.drop(use)

    async def drop(self, use: Use) -> None:
        """End a lease now; the next one who needs it asks the vault again."""
        keeper = self._keepers.pop(use, None)
        if keeper is not None and keeper is not asyncio.current_task():
            keeper.cancel()
        held = self._held.pop(use, None)
        if held is not None:
            await held.end()

    async def close(self) -> None:
        """End all; twice is fine."""
        for opening in list(self._opening.values()):
            opening.cancel()
        for use in list(self._held):
            await self.drop(use)

    @asynccontextmanager
    async def once(self, use: Use) -> AsyncIterator[Connection]:
        """A connection for this one time, on a lease that nobody else shares. Raises as `get`."""
        opened = await self._lessor.lease(use)
        connection = await self._connect(use.provider, opened.account)
        try:
            yield connection
        finally:
            await connection.close()

    async def _open(self, use: Use) -> Held:
        try:
            opened = await self._lease(use)
            connection = await self._connect(use.provider, opened.account)
            held = Held(opened.lease, connection)
            if use in self._revoked_meanwhile:
                await held.end()
                raise LeaseRefused("revoked", "the lease was revoked")
        finally:
            del self._opening[use]
            self._revoked_meanwhile.discard(use)
        self._held[use] = held
        self._keepers[use] = asyncio.create_task(self._keep(use, held, opened.term_s))
        return held

    async def _lease(self, use: Use) -> Opened:
        for pause in _AGAIN_S:
            with suppress(RouteNotOpen):
                return await self._lessor.lease(use)
            await asyncio.sleep(pause)
        return await self._lessor.lease(use)

    async def _keep(self, use: Use, held: Held, term_s: float) -> None:
        """Renew the lease time after time while it is used, and drop it before it expires."""
        try:
            await self._until_expiry(use, held, term_s)
        except LeaseRefused as refused:
            _log.info("lease_not_renewed", credential=use.credential_id, code=refused.code)
        if self._held.get(use) is held:
            await self.drop(use)

    async def _until_expiry(self, use: Use, held: Held, term_s: float) -> None:
        loop = asyncio.get_running_loop()
        left: float | None = term_s
        while left is not None:
            ends = loop.time() + left * _DROP_AT
            await asyncio.sleep(left * _RENEW_AT)
            left = await self._renewed(use, held, ends) if held.used else None
        await asyncio.sleep(ends - loop.time())

    async def _renewed(self, use: Use, held: Held, ends: float) -> float | None:
        """Seconds that the renewed lease lasts; None if the batch needs it no more. A vault that is away is
        asked again until the lease `ends`.
        """
        loop = asyncio.get_running_loop()
        while loop.time() < ends:
            try:
                opened = await self._lessor.lease(use, held.lease_id)
            except RouteNotOpen:
                return None
            except Unavailable:
                await asyncio.sleep(min(_VAULT_AWAY_S, max(0.0, ends - loop.time())))
                continue
            held.lease_id, held.used = opened.lease.id, False
            return opened.term_s
        return None


def _refused(refusal: Refusal) -> LeaseRefused:
    not_open = isinstance(refusal, Conflict) and refusal.code == "route_not_open"
    return (RouteNotOpen if not_open else LeaseRefused)(refusal.code, refusal.detail)


def _concerns(revoked: LeasesRevoked, use: Use) -> bool:
    return use.credential_id == revoked.credential_id and revoked.version in (None, use.version)


def _retrieved(task: asyncio.Task[Held]) -> None:
    """Who asked for it may be gone; then its error is nobody's."""
    if not task.cancelled():
        task.exception()
