"""Chunks on tenants' accounts: real NATS and PostgreSQL, real sealing, the real model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.local.servers.nats import Nats
from libs.common.bus.bus import Delivery
from libs.common.contracts.credentials import CredentialObserved, LeasePurpose, ObservedBy
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.inference import (
    RenderedImage,
    UnrenderableImage,
    UnroutedImage,
    WorkerRole,
    WorkerSeen,
)
from libs.common.contracts.options import RenderOptions
from libs.common.contracts.providers import FaultCode
from libs.common.errors import Conflict, MannequinError, Unavailable
from services.inference.providers.provider import CallFailed
from services.inference.renderer import OnnxRendererFactory
from tests.integration.remote_desk import Desk, ModelAccount, at_desk, failing, remote_settings, working
from tests.servers.databases import TestDatabase
from tests.servers.photos import jpegs

REVOKED = CallFailed(FaultCode.REVOKED, "the key was revoked")


@asynccontextmanager
async def at_work(
    database: TestDatabase, nats: Nats, folder: Path, account: ModelAccount
) -> AsyncIterator[Desk]:
    settings = remote_settings(database, nats, folder.as_uri())
    async with at_desk(nats, folder.as_uri()) as desk, working(settings, account):
        yield desk


@pytest.fixture
def account() -> ModelAccount:
    return ModelAccount()


@pytest.fixture
async def desk(
    database: TestDatabase, nats_server: Nats, tmp_path: Path, account: ModelAccount
) -> AsyncIterator[Desk]:
    async with at_work(database, nats_server, tmp_path, account) as desk:
        yield desk


async def test_a_picture_is_the_same_wherever_its_network_runs(desk: Desk, account: ModelAccount) -> None:
    """Bit for bit what the platform's own worker makes at the same precision; on one lease for all."""
    photos = jpegs(3)
    done = await desk.render(await desk.chunk(photos))
    local = OnnxRendererFactory(provider="cpu", precision="fp32")()
    for photo, outcome in zip(photos, done.outcomes, strict=True):
        assert isinstance(outcome, RenderedImage)
        own = local(photo, RenderOptions())
        assert await desk.objects.read(outcome.result_key) == own.result.data
        assert (outcome.verdict, outcome.score, outcome.model) == (own.verdict, own.score, own.model)
        assert outcome.compute_ms is not None
        assert 0 < outcome.compute_ms <= outcome.render_ms
    assert done.route == desk.route()
    assert [lease.purpose for lease in desk.vault.leased] == [LeasePurpose.RENDER]
    assert account.account.secrets == desk.vault.secrets[desk.credential]
    seen = (await desk.observed())[0]
    assert (seen.fault, seen.by) == (None, ObservedBy.CALL)


async def test_a_revoked_key_gives_the_rest_of_the_chunk_back(desk: Desk, account: ModelAccount) -> None:
    """Half-way: what is done stays done, the fault is told, and nothing more is called with the key."""
    account.before = failing(REVOKED, after=2)
    done = await desk.render(await desk.chunk(jpegs(24)))
    kinds = [type(outcome) for outcome in done.outcomes]
    assert kinds.count(RenderedImage) >= 1
    assert kinds.count(UnroutedImage) == len(kinds) - kinds.count(RenderedImage)
    back = next(outcome for outcome in done.outcomes if isinstance(outcome, UnroutedImage))
    assert back.fault == REVOKED.fault
    assert await desk.fault_told() == REVOKED.fault
    assert account.calls < len(kinds)
    assert account.closed == 1


async def test_a_fault_of_the_key_is_told_before_its_chunk_is_through(
    desk: Desk, account: ModelAccount
) -> None:
    """Another image of the chunk may take as long as it likes."""
    told = asyncio.Event()

    async def before(number: int) -> None:
        if number > 1:
            raise REVOKED
        await told.wait()

    account.before = before
    chunk = await desk.chunk(jpegs(2))
    await desk.send(desk.batch, chunk)
    (seen,) = await desk.observed()
    assert seen.fault == REVOKED.fault
    told.set()
    assert {type(outcome) for outcome in (await desk.outcome(chunk)).outcomes} == {
        RenderedImage,
        UnroutedImage,
    }


async def test_a_provider_that_is_down_is_no_image_s_failure(desk: Desk, account: ModelAccount) -> None:
    """The images need another route, or another time."""
    account.before = failing(CallFailed(FaultCode.UNAVAILABLE, "no answer"))
    done = await desk.render(await desk.chunk(jpegs(2)))
    assert all(isinstance(outcome, UnroutedImage) for outcome in done.outcomes)
    assert (await desk.fault_told()).code is FaultCode.UNAVAILABLE


async def test_a_picture_that_the_provider_refuses_fails_alone(desk: Desk, account: ModelAccount) -> None:
    """By the provider's code; the credential is not spoken of."""
    account.before = failing(CallFailed(FaultCode.REFUSED_PICTURE, "not allowed"), after=1)
    first, second = (await desk.render(await desk.chunk(jpegs(2)))).outcomes
    failed = first if isinstance(first, UnrenderableImage) else second
    assert isinstance(failed, UnrenderableImage)
    assert failed.code == "refused_picture"
    assert [seen.fault for seen in await desk.observed()] == [None]


async def test_an_answer_of_another_model_is_the_provider_s_fault(desk: Desk, account: ModelAccount) -> None:
    """Found by its shape, before anything is made of it."""

    async def segment(inputs: object, outputs: object) -> object:
        return {}

    account.segment = segment  # type: ignore[assignment, method-assign]
    (outcome,) = (await desk.render(await desk.chunk(jpegs(1)))).outcomes
    assert isinstance(outcome, UnroutedImage)
    assert outcome.fault.code is FaultCode.BAD_ANSWER


@pytest.mark.parametrize(
    "refusals",
    [[Unavailable("sealed")], [Conflict("not yet", code="route_not_open")] * 5],
    ids=["vault away", "route not open yet"],
)
async def test_a_lease_that_is_not_to_be_had_now_is_waited_for(
    desk: Desk, account: ModelAccount, refusals: list[MannequinError]
) -> None:
    """The chunk comes back as what it was: no image failed, none is suspect."""
    desk.vault.refuse = list(refusals)
    done = await desk.render(await desk.chunk(jpegs(1)))
    assert isinstance(done.outcomes[0], RenderedImage)
    assert not desk.vault.refuse


async def test_a_credential_that_the_vault_gives_out_no_more_needs_another_route(
    desk: Desk, account: ModelAccount
) -> None:
    """Nothing was called, so nothing is said of the key."""
    desk.vault.refuse = [Conflict("disabled", code="credential_not_usable")]
    (outcome,) = (await desk.render(await desk.chunk(jpegs(1)))).outcomes
    assert isinstance(outcome, UnroutedImage)
    assert outcome.fault.code is FaultCode.REVOKED
    assert not account.calls
    assert not [m for _, m in desk.told.came if isinstance(m, CredentialObserved)]


async def test_a_revoked_lease_is_used_no_more(desk: Desk, account: ModelAccount) -> None:
    """The vault's signal ends it, and the next chunk has to ask again."""
    chunk = await desk.chunk(jpegs(1))
    await desk.render(chunk)
    await desk.revoke()
    async with asyncio.timeout(10):
        while not account.closed:
            await asyncio.sleep(0.01)
    await desk.render(await desk.chunk(jpegs(1), chunk.batch_id))
    assert len(desk.vault.leased) == 2


async def test_chunks_of_a_batch_share_a_lease_and_batches_do_not(desk: Desk) -> None:
    """It is bound to the batch."""
    first = await desk.chunk(jpegs(1))
    await desk.render(first)
    await desk.render(await desk.chunk(jpegs(1), first.batch_id))
    await desk.render(await desk.chunk(jpegs(1)))
    assert len(desk.vault.leased) == 2


async def test_a_probe_is_answered_with_what_the_provider_said(desk: Desk, account: ModelAccount) -> None:
    """On a lease of its own, which is for that probe."""
    probe_id = await desk.probe()
    (good,) = await desk.observed()
    assert (good.by, good.probe_id, good.fault) == (ObservedBy.PROBE, probe_id, None)
    assert [(lease.purpose, lease.probe_id) for lease in desk.vault.leased] == [
        (LeasePurpose.PROBE, probe_id)
    ]
    assert account.closed == 1
    account.before = failing(REVOKED)
    await desk.probe()
    assert (await desk.observed(2))[1].fault == REVOKED.fault


async def test_a_probe_that_is_late_or_disowned_is_dropped(desk: Desk, account: ModelAccount) -> None:
    """And the next one is answered all the same."""
    await desk.probe(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    desk.vault.refuse = [Conflict("answered before", code="probe_not_open")]
    await desk.probe()
    async with asyncio.timeout(10):
        while desk.vault.refuse:
            await asyncio.sleep(0.01)
    third = await desk.probe()
    assert [seen.probe_id for seen in await desk.observed()] == [third]
    assert account.calls == 1


async def test_a_remote_worker_says_that_it_is_one(desk: Desk) -> None:
    """The dispatcher counts what each role has room for."""
    heard: asyncio.Queue[WorkerSeen] = asyncio.Queue()

    async def hear(delivery: Delivery) -> None:
        assert isinstance(delivery.message, WorkerSeen)
        heard.put_nowait(delivery.message)

    await desk.batch.listen(WorkerSeen, hear)
    async with asyncio.timeout(10):
        seen = await heard.get()
    assert (seen.role, seen.capacity) == (WorkerRole.REMOTE, 16)


async def test_a_chunk_whose_route_was_closed_long_ago_goes_back(desk: Desk) -> None:
    """It does not come again for ever: its batch was cancelled, or its images are on another route."""
    desk.vault.refuse = [Conflict("nothing in flight", code="route_not_open")] * 4
    chunk = await desk.chunk(jpegs(1))
    old = Envelope.of(chunk, source="batch", tenant=desk.tenant)
    await desk.batch.publish([old.model_copy(update={"time": datetime.now(UTC) - timedelta(minutes=2)})])
    (outcome,) = (await desk.outcome(chunk)).outcomes
    assert isinstance(outcome, UnroutedImage)
    assert outcome.fault.code is FaultCode.UNAVAILABLE


async def test_a_fault_of_the_key_is_on_the_bus_in_no_time(desk: Desk, account: ModelAccount) -> None:
    """By a real clock, from the provider's answer to the vault's ears: a webhook has a second for all."""
    answered: list[float] = []

    async def before(number: int) -> None:
        answered.append(time.perf_counter())
        raise REVOKED

    account.before = before
    await desk.render(await desk.chunk(jpegs(4)))
    seen = (await desk.observed())[0]
    assert seen.fault == REVOKED.fault
    assert desk.told.at(seen) - answered[0] < 1
