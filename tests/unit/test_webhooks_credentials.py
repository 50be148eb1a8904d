"""What webhooks say of keys and of caps: the reason, what to do, each change once, and never a secret."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from libs.common.contracts import flow
from libs.common.contracts.credentials import (
    Credential,
    CredentialDegraded,
    CredentialExpiring,
    CredentialFailed,
    CredentialRecovered,
    Health,
    HealthState,
)
from libs.common.contracts.ids import CredentialId
from libs.common.contracts.message import Message
from libs.common.contracts.providers import FaultCode, ProviderName
from libs.common.contracts.routing import SpendCapReached
from services.webhooks.payload import Notice, notices, type_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
API = "https://api.shop.example"
ID = CredentialId.new()


def credential(state: HealthState = HealthState.FAILED, **changes: Any) -> Credential:
    health = Health(
        state=state, since=NOW, code=FaultCode.REVOKED, detail="The provider says 401.", advice="Replace it."
    )
    fields: dict[str, Any] = {
        "id": ID,
        "provider": ProviderName.OPEN_INFERENCE,
        "label": "GPUs",
        "health": health,
        "last_four": "t0k3",
        "fingerprint": "hmac",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Credential.model_validate(fields | changes)


def told(message: Message) -> tuple[Notice, dict[str, Any]]:
    (notice,) = notices(message, API, NOW)
    return notice, json.loads(notice.body)


def test_a_failed_key_tells_why_since_when_and_what_to_do() -> None:
    """Enough to act on without another call."""
    first = datetime(2026, 3, 1, 11, 59, 59, 500_000, tzinfo=UTC)
    notice, body = told(CredentialFailed(credential=credential(), first_fault_at=first))
    assert notice.type == body["type"] == "credential.failed"
    assert body["data"]["reason"] == {
        "code": "revoked",
        "detail": "The provider says 401.",
        "advice": "Replace it.",
    }
    assert body["data"]["first_fault_at"] == first.isoformat()
    shown = body["data"]["credential"]
    assert (shown["id"], shown["label"], shown["last_four"]) == (ID, "GPUs", "t0k3")
    assert shown["links"]["self"] == f"{API}/api/v1/credentials/{ID}"
    assert not {"deleted", "revision"} & set(shown)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        (CredentialDegraded(credential=credential(HealthState.DEGRADED)), "credential.degraded"),
        (CredentialRecovered(credential=credential(HealthState.RECOVERED)), "credential.recovered"),
    ],
)
def test_every_change_of_health_is_told_under_its_name(message: Message, kind: str) -> None:
    """With how it stands now."""
    notice, body = told(message)
    assert notice.type == body["type"] == kind
    assert body["data"]["credential"]["health"]["state"] == kind.partition(".")[2]


def test_one_change_is_told_once_and_the_next_one_again() -> None:
    """The source is that of the revision."""
    sources = [
        told(CredentialFailed(credential=credential(revision=revision), first_fault_at=NOW))[0].source
        for revision in (3, 3, 5)
    ]
    assert sources[0] == sources[1] != sources[2]
    degraded = told(CredentialDegraded(credential=credential(revision=3)))[0].source
    assert degraded not in sources


def test_an_end_is_warned_of_once_however_often_the_credential_changes() -> None:
    """A model's end names its successor."""
    message = CredentialExpiring(credential=credential(), subject="model-1", ends_at=NOW, successor="model-2")
    later = message.model_copy(update={"credential": credential(revision=9)})
    notice, body = told(message)
    assert notice.source == told(later)[0].source
    assert (body["data"]["subject"], body["data"]["successor"]) == ("model-1", "model-2")
    assert body["data"]["ends_at"] == NOW.isoformat()
    other = message.model_copy(update={"subject": "credential"})
    assert told(other)[0].source != notice.source


def test_a_cap_is_told_once_a_month_and_again_when_it_was_raised() -> None:
    """Money as text; whose cap it is."""

    def cap(amount: str, month: int = 3, of: CredentialId | None = ID) -> tuple[Notice, dict[str, Any]]:
        return told(
            SpendCapReached(
                month=date(2026, month, 1), cap=Decimal(amount), spent=Decimal("9.99"), credential_id=of
            )
        )

    notice, body = cap("10")
    assert (body["data"]["cap"], body["data"]["spent"], body["data"]["of"]) == ("10", "9.99", "credential")
    assert notice.source == cap("10.000000")[0].source
    sources = {cap(*given)[0].source for given in (("10", 3, ID), ("20", 3, ID), ("10", 4, ID))}
    assert len(sources) == 3
    fallback, body = cap("10", 3, None)
    assert body["data"]["of"] == "fallback"
    assert fallback.source not in sources


def test_every_message_that_the_service_is_sent_is_told_of() -> None:
    """A message of the map that gave no notice would be lost silently."""
    made: dict[type[Message], Message] = {
        CredentialFailed: CredentialFailed(credential=credential(), first_fault_at=NOW),
        CredentialDegraded: CredentialDegraded(credential=credential()),
        CredentialRecovered: CredentialRecovered(credential=credential()),
        CredentialExpiring: CredentialExpiring(credential=credential(), subject="credential", ends_at=NOW),
        SpendCapReached: SpendCapReached(month=date(2026, 3, 1), cap=Decimal(1), spent=Decimal(1)),
    }
    new = [kind for kind in flow.NOTIFICATIONS.messages if not kind.wire.startswith("batch.") or kind in made]
    assert set(new) == set(made)
    for message in made.values():
        assert type_of(message) == told(message)[0].type
