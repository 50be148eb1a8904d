"""The SDK without a server: webhooks, events, retries, and that both clients are one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import inspect
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks.webhooks import Webhook

from libs.client import aio, sync, verify_webhook
from libs.client.byok import aio as byok_aio
from libs.client.byok import sync as byok_sync
from libs.client.errors import (
    ApiError,
    ConnectionFailed,
    NotFound,
    RateLimited,
    Refused,
    SignatureInvalid,
    Unauthorized,
    Unavailable,
    from_response,
)
from libs.client.events import EventParser
from libs.client.retry import RetryPolicy

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type":"batch.completed"}'


def signed(at: float | None = None) -> dict[str, str]:
    """Headers by the reference library."""
    moment = datetime.fromtimestamp(at or time.time(), tz=UTC)
    signature = Webhook(SECRET).sign("whd_1", moment, BODY.decode())
    return {
        "Webhook-Id": "whd_1",
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": f"v1,bm90IHRoaXMgb25l {signature}",
    }


def test_a_webhook_signed_by_the_reference_library_verifies() -> None:
    """Also beside the signature of another secret, as while a secret is being replaced."""
    assert verify_webhook(SECRET, signed(), BODY) == {"type": "batch.completed"}


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (signed(), BODY + b" "),
        ({**signed(), "Webhook-Id": "whd_2"}, BODY),
        (signed(time.time() - 3600), BODY),
        ({}, BODY),
    ],
)
def test_a_webhook_that_was_changed_or_kept_does_not_verify(headers: dict[str, str], body: bytes) -> None:
    """Body, id and time are all under the signature."""
    with pytest.raises(SignatureInvalid):
        verify_webhook(SECRET, headers, body)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_?", "no secret"])
def test_what_is_no_secret_verifies_nothing(secret: str) -> None:
    """A setting that is missing must not let in what anybody could have signed with an empty key."""
    timestamp = str(int(time.time()))
    signature = hmac.new(b"", f"whd_1.{timestamp}.".encode() + BODY, hashlib.sha256).digest()
    headers = {
        "webhook-id": "whd_1",
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }
    with pytest.raises(SignatureInvalid):
        verify_webhook(secret, headers, BODY)


def test_events_are_parsed_and_their_last_id_is_kept() -> None:
    """What a broken stream goes on after."""
    parser = EventParser()
    lines = [
        "data: <html>",
        "",
        ": heartbeat",
        "event: image",
        "id: 7",
        'data: {"a":',
        "data: 1}",
        "",
        "event: progress",
        "",
    ]
    events = [event for line in lines if (event := parser.feed(line))]
    assert [(event.kind, event.id, dict(event.data)) for event in events] == [("image", "7", {"a": 1})]
    assert parser.last_id == "7"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Unauthorized), (404, NotFound), (422, Refused), (429, RateLimited), (503, Unavailable)],
)
def test_problems_become_errors(status: int, kind: type[ApiError]) -> None:
    """With the code, the field and what to do."""
    problem = b'{"code": "c", "detail": "d", "field": "size", "hint": "Do this."}'
    error = from_response(status, problem, "3")
    assert type(error) is kind
    assert (error.code, error.field, error.retry_after) == ("c", "size", 3)
    assert str(error) == "d (size) Do this."


@pytest.mark.parametrize(
    ("header", "seconds"), [("0", 0), ("17", 17), ("2.5", None), ("soon", None), ("", None)]
)
def test_retry_after_is_a_number_of_seconds(header: str, seconds: float | None) -> None:
    """RFC 9110, 10.2.3; anything else is as good as none."""
    assert from_response(503, b"", header).retry_after == seconds


def test_retry_after_may_be_a_date() -> None:
    """One that is over means now."""
    now = datetime.now(UTC)
    later, earlier = (format_datetime(now + timedelta(hours=hours), usegmt=True) for hours in (1, -1))
    assert from_response(503, b"", later).retry_after == pytest.approx(3600, abs=60)
    assert from_response(503, b"", earlier).retry_after == 0


def test_an_answer_that_is_no_problem_document_is_an_error_all_the_same() -> None:
    """A proxy between us may answer anything."""
    assert from_response(502, b"<html>", None).code == "http_502"


def test_only_what_may_help_is_tried_again() -> None:
    """A refusal is final; a lost connection is not; the server's wish is granted; and there is an end."""
    policy = RetryPolicy(attempts=3)
    assert policy.pause(1, Refused(422, {})) is None
    assert policy.pause(1, ConnectionFailed("u")) is not None
    assert policy.pause(1, RateLimited(429, {}, 7)) == 7
    assert policy.pause(3, ConnectionFailed("u")) is None


PAIRS = [
    (sync.Batches, aio.AsyncBatches),
    (sync.Images, aio.AsyncImages),
    (sync.WebhookEndpoints, aio.AsyncWebhookEndpoints),
    (byok_sync.Credentials, byok_aio.AsyncCredentials),
    (byok_sync.CredentialProviders, byok_aio.AsyncCredentialProviders),
    (byok_sync.RoutingPolicies, byok_aio.AsyncRoutingPolicies),
    (byok_sync.UsageReports, byok_aio.AsyncUsageReports),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_both_clients_offer_the_same(one: type, other: type) -> None:
    """The same methods with the same parameters, defaults and promises."""

    def offer(resource: type) -> dict[str, tuple[list[tuple[str, object]], str | None]]:
        methods = inspect.getmembers(resource, inspect.isfunction)
        return {name: (_parameters(method), method.__doc__) for name, method in methods if name[:2] != "__"}

    assert offer(one) == offer(other)


def _parameters(method: Callable[..., object]) -> list[tuple[str, object]]:
    return [(one.name, one.default) for one in inspect.signature(method).parameters.values()]
