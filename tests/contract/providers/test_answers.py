"""What every adapter makes of answers that no provider should give, and of every refusal."""

from __future__ import annotations

import traceback

import pytest

from libs.common.contracts.providers import FaultCode
from services.inference.providers.provider import CallFailed
from tests.contract.providers.calls import call
from tests.contract.providers.subject import Place, Row, Subject, connected
from tests.contract.providers.test_connections import trail
from tests.servers.rogue import Answer, Rogue

MEANINGS = {
    401: FaultCode.REVOKED,
    402: FaultCode.BILLING,
    403: FaultCode.NO_PERMISSION,
    404: FaultCode.NOT_FOUND,
    410: FaultCode.RETIRED,
    413: FaultCode.BAD_PICTURE,
    415: FaultCode.BAD_PICTURE,
    429: FaultCode.OVERLOADED,
    500: FaultCode.UNAVAILABLE,
    502: FaultCode.UNAVAILABLE,
    503: FaultCode.UNAVAILABLE,
    504: FaultCode.TIMEOUT,
}
_MEBIBYTE = 1 << 20


async def failure(row: Row, place: Place) -> CallFailed:
    async with connected(row, place) as connection:
        with pytest.raises(CallFailed) as failed:
            await call(connection, row.ability)
    return failed.value


@pytest.mark.parametrize("status", MEANINGS)
async def test_a_status_says_whose_fault_it_is(
    http_row: Row, http_subject: Subject, rogue: Rogue, status: int
) -> None:
    """One taxonomy for all, but for what a provider means by a status of its own."""
    rogue.answer = Answer(status)
    failed = await failure(http_row, http_subject.at(rogue))
    assert failed.fault.code is http_row.statuses.get(status, MEANINGS[status])


async def test_a_provider_that_repeats_the_key_is_not_quoted(
    http_row: Row, http_subject: Subject, rogue: Rogue
) -> None:
    """Whatever it says of the failure, the words are ours."""
    rogue.answer = Answer(403, echo=True)
    place = http_subject.at(rogue)
    failed = await failure(http_row, place)
    shown = "".join([*traceback.format_exception(failed), *trail(failed)])
    assert not [secret for secret in place.account.secrets.values() if secret in shown]


@pytest.mark.parametrize("body", [b"", b"{}", b"[[[", b"\xff\xfe", b'{"outputs": 1}', b"[" * 100_000])
async def test_an_answer_that_is_none_is_a_bad_answer(
    http_row: Row, http_subject: Subject, rogue: Rogue, body: bytes
) -> None:
    """Empty, of another kind, broken, or made to break a parser."""
    rogue.answer = Answer(body=body, headers={"Content-Type": "application/json"})
    failed = await failure(http_row, http_subject.at(rogue))
    assert failed.fault.code is FaultCode.BAD_ANSWER


async def test_an_answer_that_does_not_end_is_left_early(
    http_row: Row, http_subject: Subject, rogue: Rogue
) -> None:
    """Its size is limited by that of the request, so that no server can fill the worker's memory."""
    rogue.answer = Answer(endless=True)
    failed = await failure(http_row, http_subject.at(rogue))
    assert failed.fault.code is FaultCode.BAD_ANSWER
    assert rogue.sent < 64 * _MEBIBYTE


async def test_redirects_are_not_followed(http_row: Row, http_subject: Subject, rogue: Rogue) -> None:
    """They could lead inside, and would carry the key to somebody else."""
    rogue.answer = Answer(307, headers={"Location": f"{rogue.url}/elsewhere"})
    failed = await failure(http_row, http_subject.at(rogue))
    assert failed.fault.code is FaultCode.MALFORMED
    assert not [request for request in rogue.seen if request.path == "/elsewhere"]


async def test_a_server_that_is_not_there_is_unavailable(
    http_row: Row, http_subject: Subject, rogue: Rogue
) -> None:
    """Nobody listens: the provider's fault, not the key's."""
    place = http_subject.at(Unused(rogue))
    failed = await failure(http_row, place)
    assert failed.fault.code is FaultCode.UNAVAILABLE


class Unused(Rogue):
    """An address at which nobody listens: a port of the system's own, which is never handed out."""

    def __init__(self, _: Rogue) -> None:
        super().__init__()
        self.port = 1
