"""The calls of a tenant and its API keys as values. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from libs.client.calls import BASE, Call, get, post, quoted, reading
from libs.client.models import Page
from libs.client.tenant.models import ApiKey, KeyTerms, Tenant


def get_tenant() -> Call[Tenant]:
    return get("/tenant", Tenant)


def change_tenant(name: str | None, contact_email: str | None) -> Call[Tenant]:
    body = _said(name=name, contact_email=contact_email)
    return Call("PATCH", f"{BASE}/tenant", reading(Tenant), json=body)


def list_api_keys(cursor: str | None, limit: int, *, active: bool) -> Call[Page[ApiKey]]:
    return get("/api-keys", Page[ApiKey], cursor=cursor, limit=limit, active=active or None)


def issue_api_key(terms: KeyTerms, key: str | None) -> Call[ApiKey]:
    return post("/api-keys", ApiKey, key=key, json=_plain(terms))


def get_api_key(key_id: str) -> Call[ApiKey]:
    return get(_path(key_id), ApiKey)


def change_api_key(
    key_id: str, label: str | None, scopes: Sequence[str] | None, allowed_ips: Sequence[str] | None
) -> Call[ApiKey]:
    body = _said(label=label, scopes=scopes, allowed_ips=allowed_ips)
    return Call("PATCH", BASE + _path(key_id), reading(ApiKey), json=body)


def rotate_api_key(
    key_id: str, overlap_s: int | None, expires_at: datetime | None, key: str | None
) -> Call[ApiKey]:
    body = _said(overlap_s=overlap_s, expires_at=expires_at)
    return post(f"{_path(key_id)}/rotate", ApiKey, key=key, json=body)


def revoke_api_key(key_id: str) -> Call[None]:
    return Call("DELETE", BASE + _path(key_id), lambda _: None)


def _path(key_id: str) -> str:
    return f"/api-keys/{quoted(key_id)}"


def _said(**values: Any) -> dict[str, Any]:
    return _plain({name: value for name, value in values.items() if value is not None})


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON has it."""
    return {
        name: value.isoformat()
        if isinstance(value, datetime)
        else list(value)
        if isinstance(value, tuple)
        else value
        for name, value in values.items()
    }
