"""A limit that was hit, as programs and people at a terminal are told of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.client import AsyncMannequin
from libs.client.errors import QuotaExceeded, Refused, from_response
from libs.common.contracts.quotas import QuotaHit, QuotaName
from libs.common.quotas import exceeded
from services.gateway.problems import of_error
from services.gateway.routes.quotas import EXAMPLE
from tests.unit.client_server import serving
from tests.unit.test_client_byok import KEY, QUICK, answered, client
from tests.unit.test_client_cli_byok import run

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RESETS_AT = datetime(2026, 12, 1, tzinfo=UTC)
QUOTAS = EXAMPLE


def problem(what: QuotaName = QuotaName.IMAGES_MONTH) -> tuple[int, dict[str, Any], str | None]:
    """What the gateway answers."""
    hit = QuotaHit(what=what, limit=10, used=8, needed=3, resets_at=RESETS_AT)
    response = of_error(exceeded(hit, NOW), "req_x")
    body: dict[str, Any] = json.loads(bytes(response.body))
    return response.status_code, body, response.headers.get("retry-after")


@pytest.mark.parametrize(
    ("what", "status"), [(QuotaName.IMAGES_MONTH, 402), (QuotaName.TEST_IMAGES_DAY, 429)]
)
def test_the_error_carries_the_limit(what: QuotaName, status: int) -> None:
    """Of the plan and of test keys alike."""
    code, body, retry_after = problem(what)
    error = from_response(code, json.dumps(body).encode(), retry_after)
    assert isinstance(error, QuotaExceeded)
    assert (error.status, error.what, error.limit, error.used, error.needed) == (status, what, 10, 8, 3)
    assert error.resets_at == RESETS_AT
    assert (error.retry_after is None) == (status == 402)
    assert "2026-12-01" in str(error)


@pytest.mark.parametrize("quota", [None, 7, "x", []])
def test_a_402_without_a_limit_is_any_refusal(quota: object) -> None:
    """As of an entitlement that was not bought."""
    assert type(from_response(402, json.dumps({"quota": quota}).encode(), None)) is Refused


def test_a_limit_in_a_form_that_is_not_known_is_no_crash() -> None:
    """A newer API, or a proxy that makes things up."""
    odd = {"quota": {"what": 3, "limit": "many", "resets_at": "tomorrow"}}
    error = from_response(402, json.dumps(odd).encode(), None)
    assert isinstance(error, QuotaExceeded)
    assert (error.what, error.limit, error.resets_at) == ("3", 0, None)


def test_it_is_not_tried_again(tmp_path: Path) -> None:
    """The same request would be refused until the month is over."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"PK")
    status, body, _ = problem()
    with serving(answered(body, status)) as server, client(server) as api, pytest.raises(QuotaExceeded):
        api.batches.process(archive)
    assert len(server.requests) == 1


async def test_quotas_are_read_by_both_clients() -> None:
    """A limit, and what is taken of it."""
    with serving(answered(QUOTAS)) as server:
        with client(server) as api:
            found = api.usage.quotas()
        async with AsyncMannequin(KEY, server.url, retry=QUICK) as other:
            assert await other.usage.quotas() == found
    [month] = found.items
    assert (month.name, month.limit, month.used, month.reserved) == ("images_month", 10_000, 4_210, 290)
    assert [request.path for request in server.requests] == ["/api/v1/usage/quotas"] * 2


def test_the_command_line_says_what_how_much_and_when(tmp_path: Path) -> None:
    """For people and as JSON, with the status of a refusal."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"PK")
    status, body, _ = problem()
    with serving(answered(body, status)) as server:
        result = run(server, "batch", str(archive), "--json")
    assert result.exit_code == 6
    told = json.loads(result.stderr.splitlines()[-1])["error"]
    assert told["code"] == "quota_exceeded"
    for word in ("10 images a month", "8 are used", "needs 3 more", "2026-12-01"):
        assert word in told["detail"]


def test_quotas_are_a_table() -> None:
    """No limit is said in words."""
    free = {"name": "archive_items", "limit": None, "used": None, "reserved": None, "resets_at": None}
    with serving(answered(QUOTAS | {"items": [*QUOTAS["items"], free]})) as server:
        result = run(server, "usage", "quotas")
    assert "images_month" in result.stdout
    assert "10000" in result.stdout
    assert "no limit" in result.stdout
