"""The errors that cross a seam, and what happens next when one is raised.

    MannequinError
    ├── Refusal                 the caller's fault; becomes an RFC 9457 problem at the gateway
    │   ├── Invalid    422      a value does not fit
    │   ├── Denied     401      not (any more) who they say they are
    │   ├── NotBought  402      not in the plan, or the plan's quota is used up
    │   ├── NotAllowed 403      known, and may not
    │   ├── NotFound   404      no such thing, or another tenant's
    │   ├── Conflict   409      not in the state that this needs
    │   └── TooOften   429      again after `retry_after` seconds
    └── (in a handler of the bus)
        ├── Permanent           dead letter, at once
        ├── Transient           again after the queue's delay, until its attempts are used up
        │   └── Unavailable     a server that we need does not answer; 503 at the gateway
        └── Snooze              again after `delay` seconds, not counted as an attempt

An exception of any other class in a handler counts as Transient. A Refusal in a handler is Permanent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from libs.common.contracts.quotas import QuotaHit


class MannequinError(Exception):
    """Base of every error that the project raises on purpose."""

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or (type(self).__doc__ or "").strip())

    @property
    def detail(self) -> str:
        return str(self)


class Refusal(MannequinError):
    """The request can't be done as it was made.

    code: stable name for programs. status: HTTP status. field: JSON pointer or parameter at fault.
    retry_after: seconds after which the same may be tried again, where that helps.
    quota: the limit that was hit, if one was.
    """

    status: ClassVar[int] = 400
    default_code: ClassVar[str] = "refused"
    retry_after: int | None = None
    quota: QuotaHit | None = None

    def __init__(
        self, detail: str | None = None, *, code: str | None = None, field: str | None = None
    ) -> None:
        super().__init__(detail)
        self.code = code or self.default_code
        self.field = field


class Invalid(Refusal):
    """A value in the request does not fit. Correct it and send again."""

    status = 422
    default_code = "invalid"


class Denied(Refusal):
    """Who asks could not show who they are."""

    status = 401
    default_code = "unauthorized"


class NotBought(Refusal):
    """The plan does not hold this, or no more of it."""

    status = 402
    default_code = "not_in_plan"


class NotAllowed(Refusal):
    """Who asks is known, and may not do this."""

    status = 403
    default_code = "forbidden"


class NotFound(Refusal):
    """There is no such thing here. Check the id, and that the API key is of the tenant that owns it."""

    status = 404
    default_code = "not_found"


class Conflict(Refusal):
    """The thing is not in a state in which this can be done."""

    status = 409
    default_code = "conflict"


class TooOften(Refusal):
    """This was tried too often. Try again later."""

    status = 429
    default_code = "rate_limited"


class Permanent(MannequinError):
    """The message can never be handled."""


class Transient(MannequinError):
    """The message can't be handled now."""


class Unavailable(Transient):
    """A server that is needed does not answer. Try again in a moment."""


class Snooze(MannequinError):
    """The message is to come back after `delay` seconds."""

    def __init__(self, delay: float, detail: str | None = None) -> None:
        super().__init__(detail)
        self.delay = delay
