"""Errors of the client.

MannequinError
├── ApiError                     the API answered with a problem (RFC 9457); `code` is stable
│   ├── Unauthorized   401, 403  the API key is missing, wrong or revoked
│   ├── NotFound       404
│   ├── Conflict       409
│   ├── QuotaExceeded  402, 429  a limit of the plan, or of test keys: what, how much, and when it resets
│   ├── RateLimited    429       `retry_after` says when to come again
│   ├── Refused        4xx       any other fault of the request
│   └── Unavailable    5xx       the service has a problem; trying again may help
├── ConnectionFailed             nobody answered, or the connection broke
├── UnexpectedAnswer             whatever answers there is not this API
├── Misconfigured                no API key, or an address or a key that can't be one
├── WaitTimeout                  the batch did not end in the time that was given
├── NothingToSend                the folder holds no files
└── SignatureInvalid             a webhook was not signed with this secret, or too long ago
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any


class MannequinError(Exception):
    """Base of the client's errors."""


class ApiError(MannequinError):
    """A problem document.

    status: of HTTP. code: stable, for programs. detail: what is wrong. field: what in the request is at
    fault. hint: what to do. request_id: for support. retry_after: seconds.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        self.status = status
        self.code: str = str(problem.get("code", f"http_{status}"))
        self.detail: str = str(problem.get("detail") or problem.get("title") or f"HTTP status {status}")
        self.field: str | None = problem.get("field")
        self.hint: str | None = problem.get("hint")
        self.request_id: str | None = problem.get("request_id")
        self.retry_after = retry_after
        super().__init__(self.detail)

    def __str__(self) -> str:
        place = f" ({self.field})" if self.field else ""
        return f"{self.detail}{place}" + (f" {self.hint}" if self.hint else "")


class Unauthorized(ApiError):
    """The API key is missing, wrong or revoked."""


class NotFound(ApiError):
    """There is no such thing, or it is another tenant's."""


class Conflict(ApiError):
    """The thing is not in a state in which this can be done."""


class QuotaExceeded(ApiError):
    """A limit of the plan was hit, or the day's images of test keys are used up; sent again it fails again.

    what: the limit's name, such as `images_month`. limit, used, needed: of it. resets_at: when what is used
    begins at nothing again; None where waiting does not help.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after: float | None = None) -> None:
        super().__init__(status, problem, retry_after)
        quota = problem["quota"]
        self.what = str(quota.get("what", ""))
        self.limit, self.used, self.needed = (
            _number(quota.get(name)) for name in ("limit", "used", "needed")
        )
        self.resets_at = _moment(quota.get("resets_at"))


class RateLimited(ApiError):
    """The key sends requests too fast."""


class Refused(ApiError):
    """The request is at fault."""


class Unavailable(ApiError):
    """The service has a problem."""


class ConnectionFailed(MannequinError):
    """Nobody answered at the API's address, or the connection to it broke off (`broke`)."""

    def __init__(self, url: str, reason: str = "") -> None:
        self.broke = bool(reason)
        what = f"The connection to {url} broke off ({reason})." if reason else f"Nobody answers at {url}."
        super().__init__(f"{what} Check the address (--api-url, MANNEQUIN_API_URL) and the network.")


class UnexpectedAnswer(MannequinError):
    """Something answered, but not as this API does: a proxy, or another server."""

    def __init__(self, status: int, path: str) -> None:
        super().__init__(
            f"{path} was answered with HTTP status {status} and not as this API does. "
            "Check the address (--api-url, MANNEQUIN_API_URL), and the proxies on the way."
        )
        self.status = status


class Misconfigured(MannequinError):
    """The client can't work as it is set up."""


class WaitTimeout(MannequinError):
    """The batch has not ended yet; waiting can be taken up again."""


class NothingToSend(MannequinError):
    """The folder holds no files."""


class SignatureInvalid(MannequinError):
    """The webhook's signature does not verify."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    409: Conflict,
    429: RateLimited,
}


def from_response(status: int, body: bytes, retry_after: str | None) -> ApiError:
    """The error that an answer of `status` (400 or above) stands for.

    retry_after: the header, in seconds or as a date (RFC 9110, 10.2.3).
    """
    try:
        problem = json.loads(body)
    except ValueError:
        problem = {}
    problem = problem if isinstance(problem, dict) else {}
    kind = _BY_STATUS.get(status, Unavailable if status >= 500 else Refused)
    if isinstance(problem.get("quota"), dict):
        kind = QuotaExceeded
    return kind(status, problem, _seconds(retry_after))


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _seconds(retry_after: str | None) -> float | None:
    given = (retry_after or "").strip()
    if given.isascii() and given.isdigit():
        return float(given)
    try:
        date = parsedate_to_datetime(given)
    except ValueError:
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
