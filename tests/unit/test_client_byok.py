"""The SDK's keys, routing and usage: what is sent, what is read, and where no secret is."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from libs.client import AsyncMannequin, Mannequin
from libs.client.byok import calls
from libs.client.byok.models import Estimate
from libs.client.errors import Conflict, MannequinError
from libs.client.retry import RetryPolicy
from services.gateway import byok_examples as examples
from tests.unit.client_server import Answer, Request, Script, serving

KEY = "im_test_not-a-key"
PLANTED = "planted-in-the-sdk-0815"
QUICK = RetryPolicy(attempts=3, base_s=0.001)
CREDENTIAL = examples.CREDENTIAL


def client(server: Script) -> Mannequin:
    return Mannequin(KEY, server.url, retry=QUICK)


def answered(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def sent(request: Request) -> Any:
    return json.loads(request.body)


def test_a_key_is_stored_with_its_terms_as_the_api_has_them() -> None:
    """Money as text, moments with their offset, and a secret that came in a SecretStr."""
    with serving(answered(CREDENTIAL, 201)) as server, client(server) as api:
        made = api.credentials.create(
            "open-inference",
            "GPUs",
            {"bearer": SecretStr(PLANTED)},
            settings={"url": "https://gpu.example"},
            terms={"monthly_cap": Decimal("250.00"), "expires_at": datetime(2027, 1, 1, tzinfo=UTC)},
        )
    assert made.health.state == "healthy"
    assert sent(server.requests[0]) == {
        "provider": "open-inference",
        "label": "GPUs",
        "settings": {"url": "https://gpu.example"},
        "secret": {"bearer": PLANTED},
        "monthly_cap": "250.00",
        "expires_at": "2027-01-01T00:00:00+00:00",
    }


@pytest.mark.parametrize("way", ["create", "replace"])
def test_a_secret_that_is_sent_again_has_the_same_idempotency_key(way: str) -> None:
    """So that one request is one key, and one replacement; a PUT of a secret included."""
    busy = Answer(503, b'{"code": "vault_unavailable"}')
    with serving(busy, answered(CREDENTIAL)) as server, client(server) as api:
        if way == "create":
            api.credentials.create("open-inference", "GPUs", {"bearer": PLANTED})
        else:
            api.credentials.replace("crd_1", {"bearer": PLANTED}, grace_s=60)
    first, second = server.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


def test_no_error_and_no_repr_shows_a_secret() -> None:
    """They end in logs."""
    call = calls.create_credential("p", "l", {"bearer": PLANTED}, None, None, None)
    assert PLANTED not in repr(call)
    refusal = Answer(409, b'{"code": "replacement_not_verified", "detail": "revoked"}')
    with serving(refusal) as server, client(server) as api, pytest.raises(Conflict) as raised:
        api.credentials.replace("crd_1", {"bearer": PLANTED})
    assert raised.value.code == "replacement_not_verified"
    assert PLANTED not in str(raised.value) + repr(raised.value)


def test_every_call_goes_where_the_api_has_it() -> None:
    """Method and path, with ids that were typed wrong kept in their place."""
    with serving(answered(CREDENTIAL)) as server, client(server) as api:
        keys = api.credentials
        for call in (keys.get, keys.verify, keys.roll_back, keys.disable, keys.enable, keys.delete):
            call("crd/1")
        keys.change("crd/1", {"priority": 4, "monthly_cap": None})
    told = [
        (request.method, request.path.removeprefix("/api/v1/credentials/crd%2F1"))
        for request in server.requests
    ]
    assert told == [
        ("GET", ""),
        ("POST", "/verify"),
        ("POST", "/rollback"),
        ("POST", "/disable"),
        ("POST", "/enable"),
        ("DELETE", ""),
        ("PATCH", ""),
    ]
    assert sent(server.requests[-1]) == {"priority": 4, "monthly_cap": None}


def test_usage_is_asked_for_by_days_and_groups() -> None:
    """As a report, as CSV, and as savings; money is Decimal."""
    days = date(2026, 3, 1), date(2026, 3, 31)
    answers = answered(examples.USAGE), Answer(body=examples.USAGE_CSV.encode()), answered(examples.SAVINGS)
    with serving(*answers) as server, client(server) as api:
        report = api.usage.get(*days, group_by=("day", "payer"))
        csv = api.usage.csv(*days)
        savings = api.usage.savings()
    assert report.total.cost == Decimal("1.291")
    assert csv == examples.USAGE_CSV
    assert savings.rows[0].moved_share == Decimal("0.9")
    assert [request.path for request in server.requests] == [
        "/api/v1/usage?from=2026-03-01&to=2026-03-31&group_by=day%2Cpayer",
        "/api/v1/usage?from=2026-03-01&to=2026-03-31&format=csv",
        "/api/v1/usage/savings",
    ]


def test_the_policy_is_set_as_a_whole() -> None:
    """What is not given is the default, and no cap is null."""
    with serving(answered(examples.POLICY)) as server, client(server) as api:
        assert api.routing_policy.set("byok_only").policy == "byok_then_platform"
    (request,) = server.requests
    assert (request.method, request.path) == ("PUT", "/api/v1/routing-policy")
    assert sent(request) == {"policy": "byok_only", "when_unavailable": "wait", "fallback_monthly_cap": None}


def test_an_estimate_sends_the_archive_and_asks_for_nothing_else(tmp_path: Path) -> None:
    """With the options of the batch."""
    archive = tmp_path / "a.zip"
    archive.write_bytes(b"PK")
    with serving(answered(examples.ESTIMATE)) as server, client(server) as api:
        found = api.batches.estimate(archive, options={"size": 64})
    assert isinstance(found, Estimate)
    assert (found.cost, found.routes[0].images) == (Decimal("0.030525"), 275)
    assert server.requests[0].path == "/api/v1/batch/process?size=64&dry_run=true"
    assert server.requests[0].body == b"PK"


async def test_the_asynchronous_client_does_the_same() -> None:
    """By the same calls."""
    answers = answered(CREDENTIAL, 201), answered({"items": [CREDENTIAL]}), answered(examples.SAVINGS)
    with serving(*answers) as server:
        async with AsyncMannequin(KEY, server.url, retry=QUICK) as api:
            made = await api.credentials.create("open-inference", "GPUs", {"bearer": PLANTED})
            assert (await api.credentials.list()).items == (made,)
            assert (await api.usage.savings()).total.images == 1000


def test_a_provider_that_a_newer_api_knows_is_read() -> None:
    """New fields are passed over, and what is not JSON is called so."""
    card = {"name": "new", "title": "New", "fields": [{"name": "x", "title": "X", "secret": True, "new": 1}]}
    with serving(answered({"items": [card]}), Answer(body=b"<html>")) as server, client(server) as api:
        (known,) = api.credential_providers.list().items
        assert known.fields[0].secret
        with pytest.raises(MannequinError):
            api.credential_providers.list()
