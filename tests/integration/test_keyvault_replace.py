"""Replacing a secret in two phases, and bringing the one before it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.credentials import (
    Credential,
    DeleteCredential,
    HealthState,
    ProbeCredential,
    RollBackCredential,
)
from libs.common.contracts.providers import Fault, FaultCode
from libs.common.errors import Conflict, Invalid, NotFound
from services.keyvault.decrypt import decrypt
from services.keyvault.revoke import Revoker
from services.keyvault.rotate import Rotations
from services.keyvault.sweep import Sweep
from services.keyvault.vault import Context
from tests.integration.keyvault_desk import REVOKED, SETTINGS, Desk, Finds, at_desk, until
from tests.servers.databases import TestDatabase
from tests.servers.planted import MARK, planted


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    async with at_desk(database, nats_server, vault_server, check_s=3) as desk:
        yield desk


def bad(version: int) -> Finds:
    """A provider that refuses this version of the key."""
    return lambda probe: REVOKED if probe.version == version else None


async def statuses(desk: Desk, credential: Credential) -> dict[int, str]:
    return {number: row["status"] for number, row in (await desk.secrets(credential.id)).items()}


async def roll_back(desk: Desk, credential: Credential) -> Credential:
    query = RollBackCredential(credential_id=credential.id)
    return await desk.gateway.request(query, tenant=desk.tenant, timeout=10)


async def pass_grace(desk: Desk, credential: Credential) -> None:
    """Let the time of everything that has one be over."""
    await desk.rows(
        "update secrets set until = now() - interval '1 s' where credential_id = $1 and until is not null",
        credential.id,
    )


async def probe_is_answered(desk: Desk, probe: ProbeCredential) -> bool:
    rows = await desk.rows("select answered_at from probes where id = $1", probe.probe_id)
    return rows[0]["answered_at"] is not None


def sweep(desk: Desk) -> Sweep:
    return Sweep(desk.database, Rotations(desk.database, desk.vault), Revoker(desk.gateway))


async def test_a_new_secret_takes_over_once_it_was_found_to_work(desk: Desk) -> None:
    """It was checked while the old one was still in use, which stays to roll back to."""
    made, secret = await desk.create(), planted()
    while_checked = []

    async def look() -> None:
        while_checked.append((await statuses(desk, made), (await desk.get(made.id)).version))

    desk.prober.before = look
    after = await desk.replacement(made.id, {"bearer": secret}, settings={**SETTINGS, "model": "second"})
    assert ({1: "current", 2: "pending"}, 1) in while_checked
    assert (after.version, after.last_four, after.settings["model"]) == (2, secret[-4:], "second")
    assert after.fingerprint != made.fingerprint
    assert after.previous_until is not None
    assert after.health.state is HealthState.HEALTHY
    assert await statuses(desk, made) == {1: "previous", 2: "current"}
    row = (await desk.secrets(made.id))[2]
    assert await decrypt(desk.vault, Context(desk.tenant, made.provider, made.id), row["ciphertext"]) == {
        "bearer": secret
    }
    await until(lambda: after in desk.heard.of(made.id))


async def test_a_new_secret_that_does_not_work_changes_nothing(desk: Desk) -> None:
    """It is forgotten, and the refusal says why."""
    made = await desk.create()
    desk.prober.finds = bad(2)
    with pytest.raises(Conflict) as refused:
        await desk.replacement(made.id)
    assert refused.value.code == "replacement_not_verified"
    assert REVOKED.detail in refused.value.detail
    assert await desk.get(made.id) == made
    secrets = await desk.secrets(made.id)
    assert (secrets[2]["status"], secrets[2]["ciphertext"]) == ("gone", None)
    refusal = (await desk.audit())[-1]
    assert (refusal.action, refusal.actor) == ("credential.replacement_refused", "keyvault")
    assert MARK not in str(refusal.detail)


async def test_a_fault_of_the_provider_does_not_let_an_unproven_secret_in(desk: Desk) -> None:
    """Only a check that went well does."""
    made = await desk.create()
    down = Fault(code=FaultCode.UNAVAILABLE, detail="the endpoint does not answer")
    desk.prober.finds = lambda probe: down
    with pytest.raises(Conflict) as refused:
        await desk.replacement(made.id)
    assert refused.value.code == "replacement_not_verified"
    assert (await desk.get(made.id)).version == 1


async def test_without_an_answer_in_time_the_old_secret_stays(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao
) -> None:
    """Also when the answer comes later and is good."""
    async with at_desk(database, nats_server, vault_server, check_s=0.2) as desk:
        made = await desk.create()
        desk.prober.finds = None
        with pytest.raises(Conflict) as refused:
            await desk.replacement(made.id)
        assert refused.value.code == "replacement_not_verified"
        assert "did not end within" in refused.value.detail
        assert await statuses(desk, made) == {1: "current", 2: "gone"}
        [probe] = [probe for probe in desk.prober.of(made.id) if probe.version == 2]
        await desk.prober.answer(probe, desk.tenant, None)
        await until(lambda: probe_is_answered(desk, probe))
        assert (await desk.get(made.id)).version == 1


async def test_only_one_replacement_runs_at_a_time(desk: Desk) -> None:
    """The second is refused while the first is being checked, and does not disturb it."""
    made = await desk.create()
    desk.prober.finds = None
    first = asyncio.create_task(desk.replacement(made.id))
    await until(lambda: len(desk.prober.of(made.id)) == 2)
    with pytest.raises(Conflict) as refused:
        await desk.replacement(made.id)
    assert refused.value.code == "replacement_under_way"
    assert await statuses(desk, made) == {1: "current", 2: "pending"}
    first.cancel()


async def test_what_a_dead_process_left_pending_is_given_up(desk: Desk) -> None:
    """By the sweep, or by the next replacement that comes."""
    made = await desk.create()
    desk.prober.finds = None
    first = asyncio.create_task(desk.replacement(made.id))
    await until(lambda: len(desk.prober.of(made.id)) == 2)
    await pass_grace(desk, made)
    desk.prober.finds = lambda probe: None
    assert (await desk.replacement(made.id)).version == 3
    assert (await statuses(desk, made))[2] == "gone"
    with pytest.raises(Conflict) as refused:
        await first
    assert refused.value.code == "replacement_not_verified"


async def test_the_sweep_gives_up_what_nobody_decided(desk: Desk) -> None:
    """And says so in the audit."""
    made = await desk.create()
    desk.prober.finds = None
    asking = asyncio.create_task(desk.replacement(made.id))
    await until(lambda: len(desk.prober.of(made.id)) == 2)
    await pass_grace(desk, made)
    await sweep(desk).forget_overdue()
    assert await statuses(desk, made) == {1: "current", 2: "gone"}
    assert "credential.replacement_given_up" in [row.action for row in await desk.audit()]
    asking.cancel()


async def test_a_failed_key_recovers_by_its_replacement(desk: Desk) -> None:
    """Work can be sent on it again at once."""
    desk.prober.finds = bad(1)
    made = await desk.create()
    assert made.health.state is HealthState.FAILED
    assert (await desk.replacement(made.id)).health.state.usable


async def test_the_secret_before_this_one_can_be_brought_back(desk: Desk) -> None:
    """With its settings; leases on the other one end, and the credential is checked anew."""
    made = await desk.create()
    replaced = await desk.replacement(made.id, settings={**SETTINGS, "model": "second"})
    lease = await desk.lease(replaced)
    back = await roll_back(desk, made)
    assert (back.version, back.fingerprint, back.settings) == (1, made.fingerprint, made.settings)
    assert back.health.state is HealthState.HEALTHY
    assert desk.prober.of(made.id)[-1].version == 1
    assert await statuses(desk, made) == {1: "current", 2: "previous"}
    assert await desk.ended(lease)
    await until(lambda: [told.version for told in desk.heard.revoked] == [2])
    assert (await roll_back(desk, made)).version == 2


async def test_there_is_nothing_to_roll_back_to_after_the_grace(desk: Desk) -> None:
    """Nor before the first replacement; the sweep then drops the ciphertext and ends the leases."""
    made = await desk.create()
    with pytest.raises(Conflict) as refused:
        await roll_back(desk, made)
    assert refused.value.code == "nothing_to_roll_back_to"
    replaced = await desk.replacement(made.id)
    lease = await desk.lease(made, version=1)
    await pass_grace(desk, made)
    with pytest.raises(Conflict):
        await roll_back(desk, made)
    assert (await desk.get(made.id)).previous_until is None
    await sweep(desk).forget_overdue()
    secrets = await desk.secrets(made.id)
    assert (secrets[1]["status"], secrets[1]["ciphertext"]) == ("gone", None)
    assert await desk.ended(lease)
    assert (await desk.get(made.id)).revision > replaced.revision
    assert (await desk.audit())[-1].action == "credential.previous_forgotten"


async def test_without_grace_the_old_secret_goes_at_once(desk: Desk) -> None:
    """A secret that leaked is not kept, and its leases end."""
    made = await desk.create()
    lease = await desk.lease(made)
    after = await desk.replacement(made.id, grace_s=0)
    assert (after.version, after.previous_until) == (2, None)
    assert await statuses(desk, made) == {1: "gone", 2: "current"}
    assert await desk.ended(lease)
    await until(lambda: [told.version for told in desk.heard.revoked] == [1])


async def test_there_is_one_secret_to_roll_back_to_at_most(desk: Desk) -> None:
    """A second replacement within the grace lets the oldest go."""
    made = await desk.create()
    await desk.replacement(made.id)
    await desk.replacement(made.id)
    assert await statuses(desk, made) == {1: "gone", 2: "previous", 3: "current"}


async def test_a_replacement_is_held_to_the_card_with_the_settings_that_are_kept(desk: Desk) -> None:
    """A field that does not fit is refused before anything is stored."""
    made = await desk.create()
    with pytest.raises(Invalid) as refused:
        await desk.replacement(made.id, {"bearer": f"two words {MARK}"})
    assert refused.value.code == "credential_field_invalid"
    assert MARK not in refused.value.detail
    assert list(await desk.secrets(made.id)) == [1]


async def test_a_credential_that_is_deleted_meanwhile_is_not_brought_back(desk: Desk) -> None:
    """Its replacement ends with the credential."""
    made = await desk.create()
    desk.prober.finds = None
    asking = asyncio.create_task(desk.replacement(made.id))
    await until(lambda: len(desk.prober.of(made.id)) == 2)
    await desk.gateway.request(DeleteCredential(credential_id=made.id), tenant=desk.tenant)
    with pytest.raises(NotFound):
        await asking
    assert set((await statuses(desk, made)).values()) == {"gone"}
