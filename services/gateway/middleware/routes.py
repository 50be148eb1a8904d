"""Which route a request was for, by its template: names of metrics and spans must be few."""

from __future__ import annotations

from starlette.types import Scope

UNKNOWN = "unknown"


def route_of(scope: Scope) -> str:
    """Such as /api/v1/batches/{batch_id}; known once the request has been routed."""
    return str(getattr(scope.get("route"), "path", UNKNOWN))
