"""Leases of a worker: taken once, renewed while they are used, ended when they must. Sealed for real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.common.bus.bus import Delivery
from libs.common.contracts.credentials import Lease, LeaseCredential, LeasesRevoked
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import BatchId, CredentialId, LeaseId, TenantId
from libs.common.contracts.providers import ProviderName, Route
from libs.common.errors import Conflict, MannequinError, NotFound, Permanent, Unavailable
from libs.common.sealing import seal_for_worker
from services.inference.errors import LeaseRefused, RouteNotOpen
from services.inference.leases import Leases, Lessor, Use
from services.inference.providers.provider import Account

SECRET = {"api_key": "s3cr3t-of-the-tenant"}
TENANT, CREDENTIAL = TenantId.new(), CredentialId.new()
ROUTE = Route(
    provider=ProviderName.OPEN_INFERENCE,
    credential_id=CREDENTIAL,
    credential_version=3,
    settings={"url": "https://models.example"},
)
USE = Use.of_route(TENANT, BatchId.new(), ROUTE)
LIMIT_S = 10.0
SHORT_S = 0.4


class Vault:
    """The vault's end of the bus; `refuse` is raised in its order, `change` is done to a lease on its way."""

    def __init__(self, term_s: float = 300) -> None:
        self.term_s = term_s
        self.asked: list[LeaseCredential] = []
        self.refuse: list[MannequinError] = []
        self.change: dict[str, Any] = {}
        self.sealed_for: TenantId | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def request(self, query: Any, *, tenant: TenantId, timeout: float = 5) -> Lease:
        self.asked.append(query)
        await self.open.wait()
        if self.refuse:
            raise self.refuse.pop(0)
        said = query.model_dump(
            include={"credential_id", "version", "purpose", "batch_id", "probe_id", "worker"}
        )
        expires = datetime.now(UTC) + timedelta(seconds=self.term_s)
        lease = Lease(id=LeaseId.new(), provider=ROUTE.provider, expires_at=expires, sealed="", **said)
        sealed = seal_for_worker(SECRET, query.public_key, self.sealed_for or tenant, lease)
        return lease.model_copy(update={"sealed": sealed} | self.change)


class Line:
    """A connection that counts."""

    def __init__(self) -> None:
        self.closed = 0

    async def probe(self) -> None: ...

    async def close(self) -> None:
        self.closed += 1


class Accounts:
    """Makes connections and keeps what they were made with."""

    def __init__(self) -> None:
        self.accounts: list[Account] = []
        self.lines: list[Line] = []

    async def connect(self, provider: ProviderName, account: Account) -> Any:
        self.accounts.append(account)
        self.lines.append(Line())
        return self.lines[-1]


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def accounts() -> Accounts:
    return Accounts()


@pytest.fixture
async def leases(vault: Vault, accounts: Accounts) -> AsyncIterator[Leases]:
    leases = Leases(Lessor(vault, "worker-1"), accounts.connect)  # type: ignore[arg-type]
    yield leases
    await leases.close()


async def until(holds: Callable[[], bool]) -> None:
    """Poll a condition, with a limit."""
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.005)


def revoked(version: int | None = None, credential: CredentialId = CREDENTIAL) -> Delivery:
    signal = LeasesRevoked(credential_id=credential, version=version)
    return Delivery(Envelope.of(signal, source="keyvault", tenant=TENANT), signal)


async def test_all_who_need_a_lease_share_one(leases: Leases, vault: Vault, accounts: Accounts) -> None:
    """Also those who ask while it is being taken; the account has the route's settings and the secret."""
    first, *others = await asyncio.gather(*(leases.get(USE) for _ in range(20)))
    assert all(held is first for held in others)
    assert await leases.get(USE) is first
    assert len(vault.asked) == 1
    (account,) = accounts.accounts
    assert (dict(account.settings), dict(account.secrets)) == (ROUTE.settings, SECRET)


@pytest.mark.parametrize(
    "other",
    [
        Use.of_route(TENANT, BatchId.new(), ROUTE),
        Use.of_route(
            TENANT, USE.batch_id or BatchId.new(), ROUTE.model_copy(update={"credential_version": 4})
        ),
        Use.of_route(TenantId.new(), USE.batch_id or BatchId.new(), ROUTE),
    ],
    ids=["batch", "version", "tenant"],
)
async def test_a_lease_is_for_one_use(leases: Leases, vault: Vault, other: Use) -> None:
    """Every request has a key of its own."""
    assert await leases.get(USE) is not await leases.get(other)
    assert len({query.public_key for query in vault.asked}) == 2


async def test_nothing_of_a_secret_shows(leases: Leases, accounts: Accounts) -> None:
    """Neither in the reprs nor in what is kept: only the connection has it."""
    held = await leases.get(USE)
    kept = [held, leases, vars(held), vars(leases), accounts.accounts[0]]
    assert SECRET["api_key"] not in repr(kept)


async def test_a_lease_in_use_is_renewed_and_its_connection_stays(
    leases: Leases, vault: Vault, accounts: Accounts
) -> None:
    """Before it expires; each renewal names the lease that it goes on from."""
    vault.term_s = SHORT_S
    held = await leases.get(USE)
    for renewals in (1, 2):
        await held.call(Line.probe)  # type: ignore[arg-type]
        await until(lambda: len(vault.asked) == 1 + renewals)  # noqa: B023
        await asyncio.sleep(0)
    assert vault.asked[0].renews is None
    assert vault.asked[1].renews is not None
    assert vault.asked[2].renews not in (None, vault.asked[1].renews)
    assert not accounts.lines[0].closed


async def test_a_lease_that_nobody_uses_ends_in_time(
    leases: Leases, vault: Vault, accounts: Accounts
) -> None:
    """Before the vault's own end of it, and the next one who needs it takes a new one."""
    vault.term_s = SHORT_S
    expires = asyncio.get_running_loop().time() + SHORT_S
    held = await leases.get(USE)
    await until(lambda: bool(accounts.lines[0].closed))
    assert asyncio.get_running_loop().time() < expires + 0.1
    with pytest.raises(LeaseRefused):
        await held.call(Line.probe)  # type: ignore[arg-type]
    assert await leases.get(USE) is not held


async def test_a_vault_that_is_away_at_a_renewal_costs_nothing_until_the_lease_ends(
    leases: Leases, vault: Vault, accounts: Accounts
) -> None:
    """Then it ends."""
    vault.term_s = SHORT_S
    held = await leases.get(USE)
    await held.call(Line.probe)  # type: ignore[arg-type]
    vault.refuse = [Unavailable("sealed")] * 100
    await until(lambda: len(vault.asked) > 1)
    await held.call(Line.probe)  # type: ignore[arg-type]
    await until(lambda: bool(accounts.lines[0].closed))


async def test_a_renewal_that_is_refused_ends_the_lease_now(
    leases: Leases, vault: Vault, accounts: Accounts
) -> None:
    """The signal that said so may have been lost."""
    held = await leases.get(USE)
    vault.term_s = SHORT_S
    await leases.drop(USE)
    held = await leases.get(USE)
    await held.call(Line.probe)  # type: ignore[arg-type]
    vault.refuse = [Conflict("disabled", code="credential_not_usable")]
    await until(lambda: bool(accounts.lines[1].closed))
    assert held.ended


@pytest.mark.parametrize(("signal", "ends"), [(revoked(), True), (revoked(3), True), (revoked(2), False)])
async def test_a_revocation_ends_the_leases_of_that_version(
    leases: Leases, signal: Delivery, ends: bool
) -> None:
    """Or of all versions."""
    held = await leases.get(USE)
    await leases.revoke(signal)
    assert held.ended is ends


async def test_another_credential_s_revocation_says_nothing(leases: Leases) -> None:
    """Each signal is heard by every worker."""
    held = await leases.get(USE)
    await leases.revoke(revoked(credential=CredentialId.new()))
    assert not held.ended


async def test_a_call_that_is_being_made_when_its_lease_is_revoked_ends_well(
    leases: Leases, accounts: Accounts
) -> None:
    """It is paid for already; the connection is closed right after it, and no other call begins."""
    held = await leases.get(USE)
    answer = asyncio.Event()

    async def slow(_: object) -> str:
        await answer.wait()
        return "answer"

    calling = asyncio.create_task(held.call(slow))
    await asyncio.sleep(0)
    await leases.revoke(revoked())
    assert not accounts.lines[0].closed
    with pytest.raises(LeaseRefused):
        await held.call(slow)
    answer.set()
    assert await calling == "answer"
    assert accounts.lines[0].closed


async def test_a_revocation_that_comes_while_a_lease_is_taken_counts(
    leases: Leases, vault: Vault, accounts: Accounts
) -> None:
    """The lease may have been granted just before."""
    vault.open.clear()
    taking = asyncio.create_task(leases.get(USE))
    await until(lambda: bool(vault.asked))
    await leases.revoke(revoked())
    vault.open.set()
    with pytest.raises(LeaseRefused):
        await taking
    assert accounts.lines[0].closed
    assert await leases.get(USE)


async def test_a_route_that_is_not_open_yet_is_asked_for_again(leases: Leases, vault: Vault) -> None:
    """The question may have overtaken the batch's commit."""
    vault.refuse = [Conflict("not yet", code="route_not_open")] * 2
    assert await leases.get(USE)
    assert len(vault.asked) == 3


@pytest.mark.parametrize(
    ("refusals", "error", "asked"),
    [
        ([Conflict("no", code="route_not_open")] * 9, RouteNotOpen, 4),
        ([Conflict("no", code="credential_not_usable")], LeaseRefused, 1),
        ([NotFound("gone")], LeaseRefused, 1),
        ([Unavailable("sealed")], Unavailable, 1),
    ],
)
async def test_who_asked_hears_why_there_is_no_lease(
    leases: Leases, vault: Vault, refusals: list[MannequinError], error: type[Exception], asked: int
) -> None:
    """All of them, and the next one asks anew."""
    vault.refuse = list(refusals)
    answers = await asyncio.gather(leases.get(USE), leases.get(USE), return_exceptions=True)
    assert [type(answer) for answer in answers] == [error, error]
    assert len(vault.asked) == asked
    vault.refuse.clear()
    assert await leases.get(USE)


@pytest.mark.parametrize(
    "change",
    [{"version": 9}, {"worker": "worker-2"}, {"batch_id": BatchId.new()}, {"sealed": "AAAA"}],
    ids=lambda change: next(iter(change)),
)
async def test_a_lease_that_is_not_what_was_asked_for_is_not_taken(
    leases: Leases, vault: Vault, accounts: Accounts, change: dict[str, Any]
) -> None:
    """Whoever put it there; the work waits."""
    vault.change = change
    with pytest.raises(Unavailable):
        await leases.get(USE)
    assert not accounts.accounts


async def test_another_tenant_s_lease_does_not_open(leases: Leases, vault: Vault) -> None:
    """Though it says the same."""
    vault.sealed_for = TenantId.new()
    with pytest.raises(Unavailable):
        await leases.get(USE)


async def test_who_gives_up_waiting_takes_nobody_along(leases: Leases, vault: Vault) -> None:
    """The lease is taken for the others."""
    vault.open.clear()
    first, second = (asyncio.create_task(leases.get(USE)) for _ in range(2))
    await until(lambda: bool(vault.asked))
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first
    vault.open.set()
    assert await second


def test_a_route_without_a_credential_has_no_lease() -> None:
    """Nothing but a mistake sends it here."""
    with pytest.raises(Permanent):
        Use.of_route(TENANT, BatchId.new(), Route())
