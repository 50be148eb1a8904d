"""What every adapter promises, on a server that is as real as can be had."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback

import numpy as np
import pytest
from structlog.testing import capture_logs

from libs.common.contracts.providers import Ability, FaultCode, FaultKind
from services.inference.providers.provider import Account, CallFailed
from services.inference.providers.registry import open_connection
from services.inference.providers.surroundings import Surroundings
from tests.contract.providers.calls import OUTPUTS, call, local_maps, tensors
from tests.contract.providers.rows import ROWS
from tests.contract.providers.subject import Place, Row, Subject, connected
from tests.servers.rogue import Rogue

SHORT_S = 0.3
LIMIT_S = 10.0
SEGMENTING = [row for row in ROWS if row.ability is Ability.SEGMENT]


def other_secrets(row: Row, place: Place) -> Place:
    """The account with secrets that nobody was ever given."""
    secrets = {name: row.another(value) for name, value in place.account.secrets.items()}
    return Place(Account(place.account.settings, secrets), place.around)


async def test_a_working_account_passes_its_probe(row: Row, subject: Subject) -> None:
    """And costs its owner nothing, which only the provider's documents can show."""
    async with connected(row, await subject.working()) as connection:
        await connection.probe()


async def test_a_call_of_a_working_account_is_answered(row: Row, subject: Subject) -> None:
    """By its ability."""
    async with connected(row, await subject.working()) as connection:
        assert await call(connection, row.ability)


@pytest.mark.parametrize("row", SEGMENTING, ids=lambda row: row.name)
async def test_the_tensors_are_those_of_the_model_run_here(row: Row, subject: Subject) -> None:
    """Wherever the exported model runs, it says the same: shape, type and values."""
    inputs = tensors()
    async with connected(row, await subject.working()) as connection:
        maps = (await connection.segment(inputs, OUTPUTS))["maps"]
    expected = local_maps(inputs)
    assert (maps.shape, maps.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(maps, expected, atol=1e-5)


async def test_a_key_that_nobody_was_given_is_the_keys_fault(keyed_row: Row, keyed_subject: Subject) -> None:
    """In the probe and in a call."""
    async with connected(keyed_row, other_secrets(keyed_row, await keyed_subject.working())) as connection:
        with pytest.raises(CallFailed) as probed:
            await connection.probe()
        with pytest.raises(CallFailed) as called:
            await call(connection, keyed_row.ability)
    assert probed.value.fault.code is FaultCode.REVOKED
    assert called.value.fault.kind is FaultKind.KEY


async def test_a_key_that_is_revoked_meanwhile_is_the_keys_fault(
    keyed_row: Row, keyed_subject: Subject
) -> None:
    """On a connection that was in use: no state of ours hides it."""
    place = await keyed_subject.working()
    async with connected(keyed_row, place) as connection:
        await connection.probe()
        await keyed_subject.revoke(place)
        with pytest.raises(CallFailed) as probed:
            await connection.probe()
        with pytest.raises(CallFailed) as called:
            await call(connection, keyed_row.ability)
    assert probed.value.fault.code is FaultCode.REVOKED
    assert called.value.fault.kind is FaultKind.KEY


async def test_an_account_without_a_secret_is_malformed(keyed_row: Row, keyed_subject: Subject) -> None:
    """Nothing is sent, and no other key of the machine is looked for."""
    place = await keyed_subject.working()
    with pytest.raises(CallFailed) as refused:
        await open_connection(keyed_row.provider, Account(place.account.settings, {}), place.around)
    assert refused.value.fault.code is FaultCode.MALFORMED


async def test_calls_may_be_made_at_the_same_time(row: Row, subject: Subject) -> None:
    """One connection serves several tasks."""
    async with connected(row, await subject.working()) as connection:
        await asyncio.gather(*(call(connection, row.ability) for _ in range(4)))


async def test_a_provider_that_does_not_answer_is_given_up(
    keyed_row: Row, keyed_subject: Subject, rogue: Rogue
) -> None:
    """After the time-out, as the provider's fault."""
    async with connected(keyed_row, await keyed_subject.silent(rogue), timeout_s=SHORT_S) as connection:
        for ask in (connection.probe(), call(connection, keyed_row.ability)):
            began = time.monotonic()
            with pytest.raises(CallFailed) as failed:
                await ask
            assert failed.value.fault.code is FaultCode.TIMEOUT
            assert time.monotonic() - began < LIMIT_S


async def test_a_call_can_be_cancelled(keyed_row: Row, keyed_subject: Subject, rogue: Rogue) -> None:
    """It ends at once, and the connection stays of use."""
    async with connected(keyed_row, await keyed_subject.silent(rogue), timeout_s=LIMIT_S) as connection:
        calling = asyncio.create_task(call(connection, keyed_row.ability))
        await asyncio.wait({calling}, timeout=SHORT_S)
        assert not calling.done()
        calling.cancel()
        async with asyncio.timeout(LIMIT_S / 2):
            with pytest.raises(asyncio.CancelledError):
                await calling


async def test_closing_twice_is_fine(row: Row, subject: Subject) -> None:
    """Used or not; calls afterwards fail as every call may."""
    unused = await open_connection(row.provider, *_parts(await subject.working()))
    await unused.close()
    await unused.close()
    used = await open_connection(row.provider, *_parts(await subject.working()))
    await used.probe()
    await used.close()
    await used.close()
    with pytest.raises(CallFailed):
        await used.probe()


async def test_no_secret_is_shown(
    keyed_row: Row,
    keyed_subject: Subject,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not in a repr, an exception with its whole trail, a log of any level or on the screen."""
    caplog.set_level(logging.DEBUG)
    place = await keyed_subject.working()
    shown = [repr(place.account)]
    with capture_logs() as structured:
        async with connected(keyed_row, place) as connection:
            await connection.probe()
            await call(connection, keyed_row.ability)
            await keyed_subject.revoke(place)
            for ask in (connection.probe(), call(connection, keyed_row.ability)):
                with pytest.raises(CallFailed) as failed:
                    await ask
                shown += [*traceback.format_exception(failed.value), *trail(failed.value)]
            shown += [repr(connection), repr(vars(connection))]
    screen = capsys.readouterr()
    shown += [caplog.text, str(structured), screen.out, screen.err]
    for secret in place.account.secrets.values():
        assert not [text for text in shown if secret in text]


def trail(error: BaseException) -> list[str]:
    """The texts of an exception and of all that it came from, suppressed or not."""
    texts: list[str] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None:
            texts += [repr(one), repr(one.args), repr(vars(one))]
            waiting += [one.__cause__, one.__context__]
    return texts


def _parts(place: Place) -> tuple[Account, Surroundings]:
    return place.account, place.around
