"""Examples for the OpenAPI document."""

from __future__ import annotations

from typing import Any

_API = "https://api.example.com/api/v1"
BATCH_ID = "bat_01hzy3k5v7m9q2w4x6z8b0c1d3"
IMAGE_ID = "img_01hzy3k5v7m9q2w4x6z8b0c1d4"
ENDPOINT_ID = "whe_01hzy3k5v7m9q2w4x6z8b0c1d5"
DELIVERY_ID = "whd_01hzy3k5v7m9q2w4x6z8b0c1d6"
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105  # an example, opens nothing

OPTIONS: dict[str, Any] = {
    "background": "#ffffff",
    "format": "webp",
    "quality": 90,
    "size": 2000,
    "margin": 0.05,
    "crop": True,
}

BATCH: dict[str, Any] = {
    "id": BATCH_ID,
    "status": "processing",
    "options": OPTIONS,
    "counts": {
        "total": 300,
        "waiting": 180,
        "rendering": 16,
        "completed": 102,
        "failed": 1,
        "refused": 1,
        "cancelled": 0,
        "duplicates": 4,
    },
    "progress": 0.3467,
    "round": 1,
    "failure": None,
    "created_at": "2026-03-01T09:30:00Z",
    "started_at": "2026-03-01T09:30:01Z",
    "ended_at": None,
    "links": {
        "self": f"{_API}/batches/{BATCH_ID}",
        "images": f"{_API}/batches/{BATCH_ID}/images",
        "events": f"{_API}/batches/{BATCH_ID}/events",
        "results": f"{_API}/batches/{BATCH_ID}/results.zip",
    },
}

IMAGE: dict[str, Any] = {
    "id": IMAGE_ID,
    "batch_id": BATCH_ID,
    "position": 17,
    "name": "spring/shirt-blue-front.jpg",
    "status": "completed",
    "verdict": "publishable",
    "score": 0.97,
    "reasons": [],
    "failure": None,
    "duplicate_of": None,
    "model": "builtin-1",
    "media_type": "image/webp",
    "width": 1600,
    "height": 2000,
    "size": 184320,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "render_ms": 412,
    "sequence": 18,
    "ended_at": "2026-03-01T09:30:09Z",
    "links": {
        "self": f"{_API}/images/{IMAGE_ID}",
        "result": f"{_API}/images/{IMAGE_ID}/result",
        "batch": f"{_API}/batches/{BATCH_ID}",
    },
}

NEW_ENDPOINT: dict[str, Any] = {
    "url": "https://shop.example.com/hooks/mannequin",
    "types": ["batch.completed", "batch.failed"],
    "description": "Catalogue import",
}

ENDPOINT: dict[str, Any] = {
    "id": ENDPOINT_ID,
    **NEW_ENDPOINT,
    "disabled_reason": None,
    "created_at": "2026-03-01T09:00:00Z",
}

DELIVERY: dict[str, Any] = {
    "id": DELIVERY_ID,
    "endpoint_id": ENDPOINT_ID,
    "type": "batch.completed",
    "status": "delivered",
    "created_at": "2026-03-01T09:31:00Z",
    "next_attempt_at": None,
    "attempts": [{"at": "2026-03-01T09:31:00Z", "duration_ms": 84, "status_code": 204, "error": None}],
}

EVENTS = f"""retry: 1000

id: 1
event: image
data: {{"id": "{IMAGE_ID}", "status": "completed", "verdict": "publishable", …}}

id: 1
event: progress
data: {{"id": "{BATCH_ID}", "status": "processing", "progress": 0.5, …}}

id: 2
event: batch
data: {{"id": "{BATCH_ID}", "status": "completed", "progress": 1.0, …}}
"""
