"""What a webhook says: `{"type", "timestamp", "data"}`, the shape that Standard Webhooks recommends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from libs.common.contracts.batch import Batch, BatchCompleted, BatchFailed, Image, ImagesCompleted
from libs.common.contracts.credentials import (
    Credential,
    CredentialDegraded,
    CredentialExpiring,
    CredentialFailed,
    CredentialRecovered,
)
from libs.common.contracts.message import Message
from libs.common.contracts.routing import SpendCapReached
from libs.common.contracts.webhooks import WebhookType


class Notice(NamedTuple):
    """Something to tell the endpoints that asked for `type`. `source` names it for ever: it is told once."""

    type: WebhookType
    source: str
    body: str


def notices(message: Message, api_url: str, now: datetime) -> Iterator[Notice]:
    """The notices that a message of the bus gives rise to."""
    match message:
        case BatchCompleted(batch=batch):
            yield _of_batch(WebhookType.BATCH_COMPLETED, batch, api_url, now)
        case BatchFailed(batch=batch):
            yield _of_batch(WebhookType.BATCH_FAILED, batch, api_url, now)
        case ImagesCompleted(images=images):
            yield from (_of_image(image, api_url, now) for image in images)
        case CredentialFailed(first_fault_at=first):
            yield _of_credential(message, api_url, now, {"first_fault_at": first.isoformat()})
        case CredentialDegraded() | CredentialRecovered():
            yield _of_credential(message, api_url, now, {})
        case CredentialExpiring():
            yield _of_end(message, api_url, now)
        case SpendCapReached():
            yield _of_cap(message, api_url, now)


_TYPES: dict[type[Message], WebhookType] = {
    BatchCompleted: WebhookType.BATCH_COMPLETED,
    BatchFailed: WebhookType.BATCH_FAILED,
    ImagesCompleted: WebhookType.IMAGE_COMPLETED,
    CredentialFailed: WebhookType.CREDENTIAL_FAILED,
    CredentialDegraded: WebhookType.CREDENTIAL_DEGRADED,
    CredentialRecovered: WebhookType.CREDENTIAL_RECOVERED,
    CredentialExpiring: WebhookType.CREDENTIAL_EXPIRING,
    SpendCapReached: WebhookType.SPEND_CAP_REACHED,
}


def type_of(message: Message) -> WebhookType | None:
    """The type of a message's notices; None if it gives rise to none."""
    return _TYPES.get(type(message))


def trial_notice(endpoint_id: str, source: str, now: datetime) -> Notice:
    """A notice that says nothing, to see whether it arrives."""
    body = _body(WebhookType.TEST, now, {"endpoint_id": endpoint_id, "message": "It works."})
    return Notice(WebhookType.TEST, source, body)


def _of_batch(kind: WebhookType, batch: Batch, api_url: str, now: datetime) -> Notice:
    base = f"{api_url}/api/v1/batches/{batch.id}"
    links = {"self": base, "images": f"{base}/images", "results": f"{base}/results.zip"}
    data = {"batch": batch.model_dump(mode="json") | {"links": links}}
    return Notice(kind, f"{batch.id}:{batch.round}", _body(kind, now, data))


def _of_image(image: Image, api_url: str, now: datetime) -> Notice:
    base = f"{api_url}/api/v1/images/{image.id}"
    described = image.model_dump(mode="json", exclude={"result_key"})
    data = {"image": described | {"links": {"self": base, "result": f"{base}/result"}}}
    source = f"{image.id}:{image.sequence}"
    return Notice(WebhookType.IMAGE_COMPLETED, source, _body(WebhookType.IMAGE_COMPLETED, now, data))


def _of_credential(
    message: CredentialFailed | CredentialDegraded | CredentialRecovered,
    api_url: str,
    now: datetime,
    more: dict[str, Any],
) -> Notice:
    """How it stands now, the reason, and what to do; told once for each change of it."""
    kind, credential = _TYPES[type(message)], message.credential
    health = credential.health
    reason = {"code": health.code, "detail": health.detail, "advice": health.advice}
    data = {"credential": _shown(credential, api_url), "reason": reason, **more}
    return Notice(kind, f"{credential.id}:{credential.revision}:{kind}", _body(kind, now, data))


def _of_end(message: CredentialExpiring, api_url: str, now: datetime) -> Notice:
    """A warning of one end of one thing, told once however often it is looked at."""
    kind, credential = WebhookType.CREDENTIAL_EXPIRING, message.credential
    data = {
        "credential": _shown(credential, api_url),
        "subject": message.subject,
        "ends_at": message.ends_at.isoformat(),
        "successor": message.successor,
    }
    source = f"{credential.id}:{message.subject}:{message.ends_at:%Y-%m-%dT%H:%M:%S%z}"
    return Notice(kind, source, _body(kind, now, data))


def _of_cap(message: SpendCapReached, api_url: str, now: datetime) -> Notice:
    """Told once a month for each cap; a raised one can be reached again."""
    kind = WebhookType.SPEND_CAP_REACHED
    of = message.credential_id or "fallback"
    data = message.model_dump(mode="json") | {
        "of": "credential" if message.credential_id else "fallback",
        "links": {"usage": f"{api_url}/api/v1/usage"},
    }
    return Notice(kind, f"{of}:{message.month}:{message.cap.normalize()}", _body(kind, now, data))


def _shown(credential: Credential, api_url: str) -> dict[str, Any]:
    """As the API shows it."""
    described = credential.model_dump(mode="json", exclude={"deleted", "revision"})
    return described | {"links": {"self": f"{api_url}/api/v1/credentials/{credential.id}"}}


def _body(kind: WebhookType, now: datetime, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data}, separators=(",", ":"))
