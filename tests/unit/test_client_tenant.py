"""The SDK's tenant and API keys: what is sent, what is read, and where no secret is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from libs.client import AsyncMannequin, Mannequin
from libs.client.retry import RetryPolicy
from services.gateway import tenant_views as examples
from tests.unit.client_server import Answer, Request, Script, serving

KEY = "im_test_not-a-key"
PLANTED = "im_live_planted-in-the-sdk"
QUICK = RetryPolicy(attempts=3, base_s=0.001)


def client(server: Script) -> Mannequin:
    return Mannequin(KEY, server.url, retry=QUICK)


def answered(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value).encode())


def sent(request: Request) -> Any:
    return json.loads(request.body)


def test_a_tenant_reads_what_it_bought_and_changes_what_is_its_own() -> None:
    """What is not said is not sent."""
    with serving(answered(examples.TENANT), answered(examples.TENANT)) as server, client(server) as api:
        tenant = api.tenant.get()
        api.tenant.change(contact_email="")
    assert (tenant.plan.byok, tenant.plan.quotas.images_month) == (True, None)
    assert [request.method for request in server.requests] == ["GET", "PATCH"]
    assert sent(server.requests[1]) == {"contact_email": ""}


def test_a_key_is_issued_with_its_terms_and_shown_in_no_repr() -> None:
    """A repeat after a broken answer has the same idempotency key, so that one key is made."""
    busy = Answer(503, b'{"code": "unavailable"}')
    made = answered(examples.KEY | {"secret": PLANTED}, 201)
    with serving(busy, made) as server, client(server) as api:
        key = api.api_keys.issue(
            label="till", scopes=("images:read",), expires_at=datetime(2027, 1, 1, tzinfo=UTC)
        )
    assert key.secret
    assert key.secret.get_secret_value() == PLANTED
    assert PLANTED not in repr(key)
    first, second = server.requests
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert sent(second) == {
        "label": "till",
        "scopes": ["images:read"],
        "expires_at": "2027-01-01T00:00:00+00:00",
    }


async def test_keys_are_listed_changed_rotated_and_revoked_without_blocking() -> None:
    """Each by its own request."""
    page, key = answered({"items": [examples.KEY], "next_cursor": None}), answered(examples.KEY)
    rotated = answered(examples.KEY | {"secret": PLANTED}, 201)
    with serving(page, key, rotated, Answer(204, b""), key) as server:
        async with AsyncMannequin(KEY, server.url, retry=QUICK) as api:
            [listed] = (await api.api_keys.list(active=True)).items
            await api.api_keys.change("key_1", scopes=["images:read"], allowed_ips=[])
            fresh = await api.api_keys.rotate("key_1", overlap_s=0)
            await api.api_keys.revoke("key_1")
            await api.api_keys.get("key_1")
    assert listed.public_id == examples.KEY["public_id"]
    assert fresh.secret
    made = [(request.method, request.path.partition("?")[0]) for request in server.requests]
    base = "/api/v1/api-keys"
    assert made == [
        ("GET", base),
        ("PATCH", f"{base}/key_1"),
        ("POST", f"{base}/key_1/rotate"),
        ("DELETE", f"{base}/key_1"),
        ("GET", f"{base}/key_1"),
    ]
    assert sent(server.requests[1]) == {"scopes": ["images:read"], "allowed_ips": []}
    assert sent(server.requests[2]) == {"overlap_s": 0}
