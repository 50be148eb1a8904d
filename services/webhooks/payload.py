"""What a webhook says: `{"type", "timestamp", "data"}`, the shape that Standard Webhooks recommends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from libs.common.contracts.batch import Batch, BatchCompleted, BatchFailed, Image, ImagesCompleted
from libs.common.contracts.message import Message
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


def type_of(message: Message) -> WebhookType | None:
    """The type of a message's notices; None if it gives rise to none."""
    match message:
        case BatchCompleted():
            return WebhookType.BATCH_COMPLETED
        case BatchFailed():
            return WebhookType.BATCH_FAILED
        case ImagesCompleted():
            return WebhookType.IMAGE_COMPLETED
    return None


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


def _body(kind: WebhookType, now: datetime, data: dict[str, Any]) -> str:
    return json.dumps({"type": kind, "timestamp": now.isoformat(), "data": data}, separators=(",", ":"))
