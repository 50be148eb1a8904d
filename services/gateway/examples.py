"""Examples for the OpenAPI document."""

from __future__ import annotations

from typing import Any

_API = "https://api.example.com/api/v1"
BATCH_ID = "bat_01hzy3k5v7m9q2w4x6z8b0c1d3"
IMAGE_ID = "img_01hzy3k5v7m9q2w4x6z8b0c1d4"
ENDPOINT_ID = "whe_01hzy3k5v7m9q2w4x6z8b0c1d5"
CREDENTIAL_ID = "crd_01hzy3k5v7m9q2w4x6z8b0c1d7"
DELIVERY_ID = "whd_01hzy3k5v7m9q2w4x6z8b0c1d6"
SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105  # an example, opens nothing

OPTIONS: dict[str, Any] = {
    "background": "#ffffff",
    "format": "webp",
    "quality": 90,
    "size": 2000,
    "margin": 0.05,
    "crop": True,
    "shadow": "soft",
    "artefacts": True,
    "renditions": [
        {"name": "thumb", "size": 400, "format": "webp"},
        {"name": "amazon", "preset": "amazon"},
    ],
}

BATCH: dict[str, Any] = {
    "id": BATCH_ID,
    "status": "processing",
    "options": OPTIONS,
    "test": False,
    "counts": {
        "total": 300,
        "waiting": 178,
        "parked": 0,
        "rendering": 16,
        "completed": 102,
        "failed": 1,
        "refused": 1,
        "cancelled": 0,
        "paired": 2,
        "duplicates": 4,
        "rejected": 1,
        "billable": 97,
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


def _file(kind: str, name: str, media_type: str, width: int, height: int) -> dict[str, Any]:
    return {
        "name": name,
        "media_type": media_type,
        "size": 20480,
        "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        "width": width,
        "height": height,
        "url": f"{_API}/images/{IMAGE_ID}/{kind}/{name}",
    }


IMAGE: dict[str, Any] = {
    "id": IMAGE_ID,
    "batch_id": BATCH_ID,
    "position": 17,
    "name": "spring/shirt-blue-front.jpg",
    "status": "completed",
    "test": False,
    "sku": "shirt-blue",
    "garment": None,
    "paired_with": "spring/shirt-blue-inside.jpg",
    "note": None,
    "verdict": "review",
    "score": 0.81,
    "reasons": ["cut_off_by_frame"],
    "findings": [
        {
            "code": "cut_off_by_frame",
            "detail": "The left sleeve is cut off by the edge of the photo.",
            "box": {"left": 0, "top": 610, "width": 40, "height": 350},
        }
    ],
    "preserved_fraction": 0.962,
    "synthesized_fraction": 0.021,
    "digital_source_type": "http://cv.iptc.org/newscodes/digitalsourcetype/compositeCapture",
    "landmarks": {
        "left_shoulder": [512.5, 410.0],
        "right_shoulder": [1104.0, 402.5],
        "neck": [806.0, 350.5],
        "left_waist": [560.0, 1100.0],
        "right_waist": [1050.0, 1100.0],
        "left_hem": [540.0, 1620.0],
        "right_hem": [1072.0, 1618.0],
    },
    "photo_width": 1600,
    "photo_height": 2000,
    "billable": True,
    "failure": None,
    "parked": None,
    "route": {
        "provider": "open-inference",
        "payer": "tenant",
        "credential_id": CREDENTIAL_ID,
        "fallback": False,
        "reason": "the tenant's own key, healthy",
        "cost": "0.000091",
    },
    "duplicate_of": None,
    "model": "builtin-1",
    "media_type": "image/webp",
    "width": 1600,
    "height": 2000,
    "size": 184320,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "renditions": [
        _file("renditions", "thumb", "image/webp", 320, 400),
        _file("renditions", "amazon", "image/jpeg", 2000, 2000),
    ],
    "artefacts": [
        _file("artefacts", name, "image/png", 1600, 2000) for name in ("alpha", "classes", "synthesized")
    ],
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
