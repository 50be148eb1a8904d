"""Entries of the audit log as callers see them."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from libs.common.contracts import audit as contract

ENTRY: dict[str, Any] = {
    "id": "aud_01jxr5b0y5q3n6m9t2w8z4c7fa",
    "sequence": 42,
    "at": "2026-03-01T09:30:00.123456Z",
    "action": "api_key.issued",
    "actor": {
        "kind": "user",
        "id": "usr_01jxr5b0y5q3n6m9t2w8z4c7fb",
        "ip": "203.0.113.7",
        "request_id": "req_01jxr5b0y5q3n6m9t2w8z4c7fc",
        "acting_for": None,
    },
    "target": "key_01jxr5b0y5q3n6m9t2w8z4c7fd",
    "detail": {"mode": "live"},
    "source": "tenants",
    "previous": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
    "hash": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",
}


class AuditEntry(contract.AuditEntry):
    """One thing that was done. `hash` is the SHA-256 of the entry's other fields as canonical JSON (keys
    sorted, no blanks), which name the hash before it: so a change to any entry shows.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [ENTRY]})


class AuditPage(BaseModel):
    """`next_cursor` goes into the next call; absent at the end."""

    items: tuple[AuditEntry, ...]
    next_cursor: str | None = None


class ChainState(contract.ChainState):
    """How the chain of the audit log stands. Keep `head` and `entries` somewhere of your own: with them you
    can tell later whether the log still goes on from there.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"entries": 42, "head": ENTRY["hash"], "broken_at": None, "reason": None}]
        }
    )
