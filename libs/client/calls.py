"""Every call of the API as a value: what to send and how to read the answer. No I/O.

The two clients, `sync.py` and `aio.py`, carry these out.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import TypeAdapter

from libs.client.byok.models import Estimate
from libs.client.models import Batch, BatchOptions, Delivery, Endpoint, Image, Page, RenderOptions

T = TypeVar("T")
BASE = "/api/v1"
MEDIA_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".avif": "image/avif",
    ".heic": "image/heic",
    ".zip": "application/zip",
}


@dataclass(frozen=True)
class Form:
    """A form with a `file` and one part of JSON."""

    file: Path
    media_type: str
    part: str
    json: Any = field(repr=False)


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request. `upload` is a file to stream as the body; `read` turns the answer's body into a T.

    `json` may hold a secret: no repr shows it.
    """

    method: str
    path: str
    read: Callable[[bytes], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    upload: Path | None = None
    form: Form | None = None

    @property
    def repeatable(self) -> bool:
        """Whether sending it again does no more than sending it once (RFC 9110, 9.2.2; a key for a POST)."""
        return self.method != "POST" or "idempotency-key" in self.headers


def quoted(given: str) -> str:
    """An id as part of a path, whatever somebody typed."""
    return quote(given, safe="")


def reading(kind: Any) -> Callable[[bytes], Any]:
    """What turns a body of JSON into a model of this kind."""
    return TypeAdapter(kind).validate_json


def post(path: str, kind: Any, *, key: str | None = None, **rest: Any) -> Call[Any]:
    """A POST that may be sent again: its idempotency key stays the same."""
    headers = {"idempotency-key": key or str(uuid.uuid4()), **rest.pop("headers", {})}
    return Call("POST", f"{BASE}{path}", reading(kind), headers=headers, **rest)


def get(path: str, kind: Any, **params: Any) -> Call[Any]:
    """A GET; parameters that are None are left out."""
    given = {name: value for name, value in params.items() if value is not None}
    return Call("GET", f"{BASE}{path}", reading(kind), params=given)


def _query(options: RenderOptions | None) -> dict[str, Any]:
    """Options in a query: those that have parts are JSON there."""
    return {
        name: value if isinstance(value, str | int | float) else json.dumps(value)
        for name, value in (options or {}).items()
        if value is not None
    }


def process_batch(archive: Path, options: BatchOptions | None, key: str | None) -> Call[Batch]:
    headers = {"content-type": "application/zip"}
    return post("/batch/process", Batch, key=key, params=_query(options), headers=headers, upload=archive)


def estimate_batch(archive: Path, options: BatchOptions | None) -> Call[Estimate]:
    params = {**_query(options), "dry_run": "true"}
    headers = {"content-type": "application/zip"}
    return post("/batch/process", Estimate, params=params, headers=headers, upload=archive)


def get_batch(batch_id: str) -> Call[Batch]:
    return get(f"/batches/{quoted(batch_id)}", Batch)


def list_batches(cursor: str | None, limit: int) -> Call[Page[Batch]]:
    return get("/batches", Page[Batch], cursor=cursor, limit=limit)


def list_images(
    batch_id: str, statuses: Sequence[str], cursor: str | None, limit: int = 500
) -> Call[Page[Image]]:
    path = f"/batches/{quoted(batch_id)}/images"
    return get(path, Page[Image], status=list(statuses) or None, cursor=cursor, limit=limit)


def cancel_batch(batch_id: str) -> Call[Batch]:
    return post(f"/batches/{quoted(batch_id)}/cancel", Batch)


def retry_batch(batch_id: str) -> Call[Batch]:
    return post(f"/batches/{quoted(batch_id)}/retry", Batch)


def batch_events(batch_id: str) -> str:
    return f"{BASE}/batches/{quoted(batch_id)}/events"


def batch_results(batch_id: str) -> str:
    return f"{BASE}/batches/{quoted(batch_id)}/results.zip"


def submit_image(photo: Path, options: RenderOptions | None, key: str | None) -> Call[Image]:
    """`wait=0`: the answer is the image's state, not its pixels."""
    media_type = MEDIA_TYPES.get(photo.suffix.lower(), "application/octet-stream")
    params = {"wait": 0, "name": photo.name, **_query(options)}
    return post("/images", Image, key=key, params=params, headers={"content-type": media_type}, upload=photo)


def get_image(image_id: str) -> Call[Image]:
    return get(f"/images/{quoted(image_id)}", Image)


def image_result(image_id: str) -> str:
    return f"{BASE}/images/{quoted(image_id)}/result"


def image_rendition(image_id: str, name: str) -> str:
    return f"{BASE}/images/{quoted(image_id)}/renditions/{quoted(name)}"


def image_artefact(image_id: str, name: str) -> str:
    return f"{BASE}/images/{quoted(image_id)}/artefacts/{quoted(name)}"


def create_endpoint(url: str, types: Sequence[str] | None, description: str) -> Call[Endpoint]:
    body = {"url": url, "description": description, **({"types": list(types)} if types else {})}
    return post("/webhook-endpoints", Endpoint, json=body)


def list_endpoints() -> Call[Page[Endpoint]]:
    return get("/webhook-endpoints", Page[Endpoint])


def get_endpoint(endpoint_id: str) -> Call[Endpoint]:
    return get(f"/webhook-endpoints/{quoted(endpoint_id)}", Endpoint)


def delete_endpoint(endpoint_id: str) -> Call[None]:
    return Call("DELETE", f"{BASE}/webhook-endpoints/{quoted(endpoint_id)}", lambda _: None)


def test_endpoint(endpoint_id: str) -> Call[Delivery]:
    return post(f"/webhook-endpoints/{quoted(endpoint_id)}/test", Delivery)


def rotate_secret(endpoint_id: str, overlap_s: int | None = None) -> Call[Endpoint]:
    """overlap_s: how long the old secret signs along; a day if None."""
    body = {} if overlap_s is None else {"overlap_s": overlap_s}
    return post(f"/webhook-endpoints/{quoted(endpoint_id)}/rotate-secret", Endpoint, json=body)


def list_deliveries(endpoint_id: str, cursor: str | None, limit: int) -> Call[Page[Delivery]]:
    path = f"/webhook-endpoints/{quoted(endpoint_id)}/deliveries"
    return get(path, Page[Delivery], cursor=cursor, limit=limit)


def redeliver(endpoint_id: str, delivery_id: str) -> Call[Delivery]:
    return post(
        f"/webhook-endpoints/{quoted(endpoint_id)}/deliveries/{quoted(delivery_id)}/redeliver", Delivery
    )
