"""Leasing: many requests a round, each with its own answer.

A round asks the batch service once, reads the tables once, has the vault decrypt what is needed (each secret
once), seals, and writes all leases with their audit rows in one transaction that looks again: nothing leaves
before its audit row is on disk, and nothing that was ended meanwhile leaves at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from prometheus_client import Counter, Histogram

from libs.common.bus.bus import Bus
from libs.common.contracts.credentials import Lease, LeaseCredential, LeasePurpose
from libs.common.contracts.ids import LeaseId, TenantId
from libs.common.contracts.routing import CheckRoutes, RouteClaim
from libs.common.db import Database
from libs.common.errors import MannequinError, Refusal
from libs.common.sealing import Secrets, seal_for_worker
from libs.common.telemetry import logger
from services.keyvault.batching import MicroBatcher
from services.keyvault.decrypt import decrypt
from services.keyvault.leases import store
from services.keyvault.leases.errors import CredentialNotUsable, RouteNotOpen
from services.keyvault.leases.rules import Secret, expiry, refusal
from services.keyvault.leases.store import Ask, Known
from services.keyvault.vault import CiphertextLost, Context, NoTenantKey, Vault

LEASE_S = 300.0
_MOST_A_ROUND = 400
_ALL = "leases"
"""Rounds are of all tenants."""
_ROUTES_S = 3.0
_SEALED_AT_A_TIME = 16

_log = logger("leases")
_leases = Counter("mannequin_leases", "Leases that were asked for, by how it ended.", ("purpose", "outcome"))
_round_size = Histogram(
    "mannequin_lease_round_size", "Leases asked for together.", buckets=(1, 2, 5, 10, 25, 50, 100, 200, 400)
)

Ended = dict[Ask, Exception]
"""Requests that are over, and why; the others of the round go on."""


class _Granted(NamedTuple):
    secret: Secret
    expires_at: datetime


class _Unlocked(NamedTuple):
    granted: _Granted
    secrets: Secrets

    def __repr__(self) -> str:
        return "_Unlocked(…)"


class Leasing:
    """Gives out leases of `lease_s` seconds."""

    def __init__(self, database: Database, vault: Vault, bus: Bus, lease_s: float = LEASE_S) -> None:
        self._database = database
        self._vault = vault
        self._bus = bus
        self._lease_s = lease_s
        self._rounds: MicroBatcher[Ask, Lease] = MicroBatcher(
            self._round, asyncio.Semaphore(1), limit=_MOST_A_ROUND
        )

    async def lease(self, query: LeaseCredential, tenant: TenantId) -> Lease:
        """A credential sealed to the key in `query`.

        RouteNotOpen, CredentialNotUsable, ProbeNotOpen, NotSealedForThis (a key that is none); Unavailable.
        """
        outcome = "unavailable"
        try:
            lease = await self._rounds.ask(_ALL, Ask(tenant, query))
            outcome = "renewed" if query.renews else "granted"
        except Refusal as error:
            outcome = error.code
            _log.warning(
                "lease_refused", credential=query.credential_id, batch=query.batch_id, code=error.code
            )
            raise
        finally:
            _leases.labels(query.purpose.value, outcome).inc()
        return lease

    async def _round(self, _: str, asks: Sequence[Ask]) -> Sequence[Lease | Exception]:
        _round_size.observe(len(asks))
        ended = await self._closed_routes(asks)
        unlocked = await self._unlocked(_left(asks, ended), ended)
        leases = await _sealed(unlocked, ended)
        await self._record(leases, ended)
        return [ended[ask] if ask in ended else leases[ask] for ask in asks]

    async def _closed_routes(self, asks: Sequence[Ask]) -> Ended:
        """Requests for a batch that has nothing in flight there; all of them if that can't be known."""
        renders = [ask for ask in asks if ask.query.purpose is LeasePurpose.RENDER]
        ended: Ended = {ask: RouteNotOpen() for ask in renders if ask.query.batch_id is None}
        claims = {ask: claim for ask in renders if (claim := _claim(ask)) is not None}
        distinct = list(dict.fromkeys(claims.values()))
        if not distinct:
            return ended
        try:
            answer = await self._bus.request(CheckRoutes(claims=tuple(distinct)), timeout=_ROUTES_S)
        except MannequinError as error:
            return ended | dict.fromkeys(claims, error)
        is_open = dict(zip(distinct, answer.open, strict=True))
        return ended | {ask: RouteNotOpen() for ask, claim in claims.items() if not is_open[claim]}

    async def _unlocked(
        self, asks: Sequence[Ask], ended: Ended, *, again: bool = True
    ) -> dict[Ask, _Unlocked]:
        """The secrets that may be leased. A ciphertext that is lost is read again: it may be rewrapped."""
        async with self._database.platform("lease round") as tx:
            known = await store.read(tx, asks)
        granted = self._granted(asks, known, ended)
        opened = await self._opened(granted)
        unlocked: dict[Ask, _Unlocked] = {}
        lost = []
        for ask, one in granted.items():
            result = opened[_ciphertext(one)]
            if not isinstance(result, BaseException):
                unlocked[ask] = _Unlocked(one, result)
            elif isinstance(result, CiphertextLost) and again:
                lost.append(ask)
            else:
                ended[ask] = _told(result)
        return unlocked | (await self._unlocked(lost, ended, again=False) if lost else {})

    def _granted(self, asks: Iterable[Ask], known: Known, ended: Ended) -> dict[Ask, _Granted]:
        """What may be leased, as the tables were read; the rest has ended."""
        now, granted = datetime.now(UTC), {}
        for ask in asks:
            secret, probe = known.secret(ask), known.probe(ask)
            refused = refusal(ask.query, secret, probe, now)
            if refused is not None or secret is None:
                ended[ask] = refused or CredentialNotUsable()
            else:
                granted[ask] = _Granted(secret, expiry(secret, probe, now, self._lease_s))
        return granted

    async def _opened(self, granted: Mapping[Ask, _Granted]) -> dict[str, Secrets | BaseException]:
        """The secret fields by their ciphertexts, each decrypted once."""
        contexts = {_ciphertext(one): _context(ask, one) for ask, one in granted.items()}
        opened = await asyncio.gather(
            *(decrypt(self._vault, context, text) for text, context in contexts.items()),
            return_exceptions=True,
        )
        return dict(zip(contexts, opened, strict=True))

    async def _record(self, leases: Mapping[Ask, Lease], ended: Ended) -> None:
        """Write what is still allowed, with the credentials held; the rest has ended."""
        if not leases:
            return
        async with self._database.platform("lease round") as tx:
            await store.hold(tx, leases)
            known = await store.read(tx, leases)
            still = self._granted(leases, known, ended)
            await store.insert(tx, [(ask, leases[ask]) for ask in still], datetime.now(UTC))


async def _sealed(unlocked: Mapping[Ask, _Unlocked], ended: Ended) -> dict[Ask, Lease]:
    leases: dict[Ask, Lease] = {}
    for number, (ask, one) in enumerate(unlocked.items()):
        if number % _SEALED_AT_A_TIME == 0:
            # Sealing holds the interpreter for 0.1 ms each, in a thread as well.
            await asyncio.sleep(0)
        try:
            leases[ask] = _lease(ask, one)
        except Refusal as error:
            ended[ask] = error
    return leases


def _left(asks: Iterable[Ask], ended: Ended) -> list[Ask]:
    return [ask for ask in asks if ask not in ended]


def _claim(ask: Ask) -> RouteClaim | None:
    batch = ask.query.batch_id
    if batch is None:
        return None
    return RouteClaim.model_construct(
        tenant_id=ask.tenant, batch_id=batch, credential_id=ask.query.credential_id
    )


def _ciphertext(granted: _Granted) -> str:
    assert granted.secret.ciphertext is not None  # or it was refused
    return granted.secret.ciphertext


def _context(ask: Ask, granted: _Granted) -> Context:
    return Context(ask.tenant, granted.secret.provider.value, ask.query.credential_id)


def _told(error: BaseException) -> Exception:
    """To a worker, a key that was erased is a credential that may not be used."""
    if isinstance(error, CiphertextLost | NoTenantKey):
        return CredentialNotUsable("its secret can no longer be decrypted")
    if isinstance(error, Exception):
        return error
    raise error


def _lease(ask: Ask, unlocked: _Unlocked) -> Lease:
    """Bound to all that it says. NotSealedForThis if the worker's key is none."""
    query = ask.query
    is_render = query.purpose is LeasePurpose.RENDER
    # Constructed and not validated: its parts were, and this is done thousands of times a second.
    lease = Lease.model_construct(
        id=LeaseId.new(),
        credential_id=query.credential_id,
        version=query.version,
        provider=unlocked.granted.secret.provider,
        worker=query.worker,
        purpose=query.purpose,
        batch_id=query.batch_id if is_render else None,
        probe_id=None if is_render else query.probe_id,
        expires_at=unlocked.granted.expires_at,
        sealed="",
    )
    sealed = seal_for_worker(unlocked.secrets, query.public_key, ask.tenant, lease)
    return lease.model_copy(update={"sealed": sealed})
