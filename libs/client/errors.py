"""Errors of the client.

MannequinError
├── ApiError                 the API answered with a problem (RFC 9457); `code` is stable
│   ├── Unauthorized   401   the API key is missing, wrong or revoked
│   ├── NotFound       404
│   ├── Conflict       409
│   ├── RateLimited    429   `retry_after` says when to come again
│   ├── Refused        4xx   any other fault of the request
│   └── Unavailable    5xx   the service has a problem; trying again may help
├── ConnectionFailed         nobody answered
├── WaitTimeout              the batch did not end in the time that was given
└── SignatureInvalid         a webhook was not signed with this secret, or too long ago
"""

from __future__ import annotations

import json
from typing import Any


class MannequinError(Exception):
    """Base of the client's errors."""


class ApiError(MannequinError):
    """A problem document. hint: what to do; field: what in the request is at fault."""

    def __init__(self, status: int, problem: dict[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.code: str = str(problem.get("code", f"http_{status}"))
        self.detail: str = str(problem.get("detail") or problem.get("title") or f"HTTP status {status}")
        self.field: str | None = problem.get("field")
        self.hint: str | None = problem.get("hint")
        self.retry_after = retry_after
        super().__init__(self.detail)

    def __str__(self) -> str:
        place = f" ({self.field})" if self.field else ""
        return f"{self.detail}{place}" + (f" {self.hint}" if self.hint else "")


class Unauthorized(ApiError):
    pass


class NotFound(ApiError):
    pass


class Conflict(ApiError):
    pass


class RateLimited(ApiError):
    pass


class Refused(ApiError):
    pass


class Unavailable(ApiError):
    pass


class ConnectionFailed(MannequinError):
    """Nobody answered at the API's address. Check it and the network."""

    def __init__(self, url: str) -> None:
        super().__init__(f"Nobody answers at {url}. Check the address (--api-url, MANNEQUIN_API_URL).")


class WaitTimeout(MannequinError):
    """The batch has not ended yet; waiting can be taken up again."""


class SignatureInvalid(MannequinError):
    """The webhook's signature does not verify."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}


def from_response(status: int, body: bytes, retry_after: str | None) -> ApiError:
    """The error that an answer of `status` (400 or above) stands for."""
    try:
        problem = json.loads(body)
    except ValueError:
        problem = {}
    kind = _BY_STATUS.get(status, Unavailable if status >= 500 else Refused)
    seconds = float(retry_after) if retry_after and retry_after.isdigit() else None
    return kind(status, problem if isinstance(problem, dict) else {}, seconds)
