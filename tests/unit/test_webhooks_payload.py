"""What webhooks say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from libs.common.contracts.batch import (
    Batch,
    BatchCancelled,
    BatchCompleted,
    BatchFailed,
    BatchOptions,
    BatchStatus,
    Counts,
    Failure,
    Image,
    ImagesCompleted,
    ImageStatus,
)
from libs.common.contracts.ids import BatchId, ImageId
from libs.common.contracts.inference import Verdict
from libs.common.contracts.message import Message
from services.webhooks.payload import Notice, notices, type_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
API = "https://api.shop.example"


def batch(status: BatchStatus = BatchStatus.COMPLETED, **changes: Any) -> Batch:
    fields: dict[str, Any] = {
        "id": BatchId.new(),
        "status": status,
        "options": BatchOptions(),
        "counts": Counts(total=2, completed=2),
        "progress": 1.0,
        "created_at": NOW,
        "ended_at": NOW,
    }
    return Batch(**(fields | changes))


def image(status: ImageStatus = ImageStatus.COMPLETED, **changes: Any) -> Image:
    fields: dict[str, Any] = {"id": ImageId.new(), "batch_id": BatchId.new(), "position": 0, "name": "a.jpg"}
    return Image(**(fields | {"status": status, "sequence": 1} | changes))


def told(message: Message) -> list[tuple[Notice, dict[str, Any]]]:
    return [(notice, json.loads(notice.body)) for notice in notices(message, API, NOW)]


def test_a_batch_that_completed_tells_counts_times_and_links() -> None:
    """Enough to go on without another call."""
    ended = batch()
    [(notice, body)] = told(BatchCompleted(batch=ended))
    assert notice.type == body["type"] == "batch.completed"
    assert body["timestamp"] == NOW.isoformat()
    data = body["data"]["batch"]
    assert (data["id"], data["status"], data["counts"]["completed"]) == (ended.id, "completed", 2)
    assert data["ended_at"]
    base = f"{API}/api/v1/batches/{ended.id}"
    assert data["links"] == {"self": base, "images": f"{base}/images", "results": f"{base}/results.zip"}


def test_a_batch_that_failed_tells_why() -> None:
    """By its stable code."""
    failed = batch(BatchStatus.FAILED, failure=Failure(code="not_a_zip", detail="It is no ZIP."))
    [(notice, body)] = told(BatchFailed(batch=failed))
    assert notice.type == "batch.failed"
    assert body["data"]["batch"]["failure"]["code"] == "not_a_zip"


def test_a_second_round_of_a_batch_is_told_of_again() -> None:
    """Its source differs, that of the same round does not."""
    first = batch()
    sources = [
        told(BatchCompleted(batch=first.model_copy(update={"round": number})))[0][0].source
        for number in (1, 1, 2)
    ]
    assert sources[0] == sources[1] != sources[2]


def test_images_are_told_of_one_by_one_with_their_status_and_without_storage_keys() -> None:
    """Completed and failed ones both; where the pictures lie in the storage is our own affair."""
    images = (image(result_key="tenants/x/secret.png"), image(ImageStatus.FAILED, sequence=2))
    both = told(ImagesCompleted(batch_id=images[0].batch_id, images=images))
    assert [body["data"]["image"]["status"] for _, body in both] == ["completed", "failed"]
    assert {notice.type for notice, _ in both} == {"image.completed"}
    assert len({notice.source for notice, _ in both}) == 2
    assert "secret.png" not in both[0][0].body
    assert both[0][1]["data"]["image"]["links"]["result"] == f"{API}/api/v1/images/{images[0].id}/result"


def test_what_is_billed_is_told_of_each_image_and_of_the_batch() -> None:
    """A rejected image is not."""
    images = (image(billable=True), image(verdict=Verdict.REJECTED, sequence=2))
    both = told(ImagesCompleted(batch_id=images[0].batch_id, images=images))
    assert [body["data"]["image"]["billable"] for _, body in both] == [True, False]
    [(_, body)] = told(BatchCompleted(batch=batch(counts=Counts(completed=2, rejected=1, billable=1))))
    counts = body["data"]["batch"]["counts"]
    assert (counts["rejected"], counts["billable"]) == (1, 1)


@pytest.mark.parametrize("message", [BatchCancelled(batch=batch(BatchStatus.CANCELLED))])
def test_other_messages_tell_nothing(message: Message) -> None:
    """Who cancels a batch knows it."""
    assert type_of(message) is None
    assert told(message) == []
