"""A tenant's own key at a running system, whose provider nobody can reach: it is stored all the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.servers.planted import planted

KEY: dict[str, Any] = {
    "provider": "open-inference",
    "label": "GPUs that are off",
    "settings": {"url": "http://127.0.0.1:9"},
}
_PLAN_KNOWN_WITHIN_S = 15.0


def stored_key(client: httpx.Client) -> dict[str, Any]:
    """A new key of a tenant whose plan has them."""
    body = {**KEY, "secret": {"bearer": planted()}}
    stored: dict[str, Any] = when_planned(lambda: client.post("/api/v1/credentials", json=body))
    return stored


def when_planned(ask: Callable[[], httpx.Response]) -> Any:
    """What a request answers once the services have heard of the tenant's plan, by an event."""
    deadline = time.monotonic() + _PLAN_KNOWN_WITHIN_S
    while True:
        response = ask()
        if response.status_code not in (402, 409) or time.monotonic() > deadline:
            response.raise_for_status()
            return response.json()
        time.sleep(0.05)
