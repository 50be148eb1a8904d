"""Every call about human models as a value. No I/O."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from libs.client.calls import BASE, MEDIA_TYPES, Call, Form, get, post, quoted, reading
from libs.client.human_models.models import ConsentTerms, HumanModel
from libs.client.models import Page

UNCHANGED: Any = object()
"""For what a change leaves as it is, where None means something."""


def add(photo: Path, consent: ConsentTerms, name: str | None, key: str | None) -> Call[HumanModel]:
    media_type = MEDIA_TYPES.get(photo.suffix.lower(), "application/octet-stream")
    told = {**consent, **({"name": name} if name else {})}
    return post("/human-models", HumanModel, key=key, form=Form(photo, media_type, "consent", _plain(told)))


def list_(cursor: str | None, limit: int) -> Call[Page[HumanModel]]:
    return get("/human-models", Page[HumanModel], cursor=cursor, limit=limit)


def get_one(model_id: str) -> Call[HumanModel]:
    return get(f"/human-models/{quoted(model_id)}", HumanModel)


def change(model_id: str, name: str | None, consent_expires_at: datetime | None) -> Call[HumanModel]:
    body: dict[str, Any] = {} if name is None else {"name": name}
    if consent_expires_at is not UNCHANGED:
        body |= {"consent_expires_at": consent_expires_at}
    path = f"{BASE}/human-models/{quoted(model_id)}"
    return Call("PATCH", path, reading(HumanModel), json=_plain(body))


def photo(model_id: str) -> str:
    return f"{BASE}/human-models/{quoted(model_id)}/photo"


def delete(model_id: str) -> Call[None]:
    return Call("DELETE", f"{BASE}/human-models/{quoted(model_id)}", lambda _: None)


def _plain(given: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value for name, value in given.items()
    }
