"""A token bucket for each caller, told in RateLimit fields; where nobody need sign in, one for each address.

Source: draft-ietf-httpapi-ratelimit-headers-10 (RateLimit-Policy, RateLimit) and RFC 9110, 10.2.3
(Retry-After).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.auth.addresses import address_of, counted_at
from services.gateway.auth.caller import Caller, StaffCaller
from services.gateway.errors import TooManyRequests
from services.gateway.problems import of_error

_MOST_BUCKETS = 100_000
_API = "/api/v1/"


@dataclass(slots=True)
class Bucket:
    """Tokens at a moment (monotonic seconds)."""

    tokens: float
    at: float


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a request may pass, the whole tokens that are left, and the seconds until the bucket is full.

    retry_after: seconds until there is a token again; 0 if the request passes.
    """

    passes: bool
    remaining: int
    reset: int
    retry_after: int


class TokenBuckets:
    """Each key may send `burst` requests at once and `rate` a second in the long run.

    name: of the policy, as RateLimit-Policy has it.
    """

    def __init__(
        self, rate: float, burst: int, *, name: str = "key", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst = rate, burst
        self.name = name
        self._clock = clock
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()

    @property
    def policy(self) -> str:
        """The value of RateLimit-Policy: the quota, and the seconds in which it grows back."""
        return f'"{self.name}";q={self._burst};w={math.ceil(self._burst / self._rate)}'

    def admit(self, key: str) -> Admission:
        """Take a token of `key` if there is one."""
        bucket = self._refilled(key)
        passes = bucket.tokens >= 1
        if passes:
            bucket.tokens -= 1
        missing = max(0.0, 1 - bucket.tokens)
        return Admission(
            passes=passes,
            remaining=int(bucket.tokens),
            reset=math.ceil((self._burst - bucket.tokens) / self._rate),
            retry_after=0 if passes else max(1, math.ceil(missing / self._rate)),
        )

    def wait(self, key: str) -> int:
        """Seconds until `key` has a token, without taking one; 0 if it has."""
        missing = 1 - self._refilled(key).tokens
        return max(1, math.ceil(missing / self._rate)) if missing > 0 else 0

    def _refilled(self, key: str) -> Bucket:
        now = self._clock()
        bucket = self._buckets.pop(key, None) or Bucket(self._burst, now)
        bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.at) * self._rate)
        bucket.at = now
        self._buckets[key] = bucket
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return bucket


class RateLimit:
    """Answers 429 to a caller, or an address, that has no token left, and tells every other how it stands."""

    def __init__(self, app: ASGIApp, buckets: TokenBuckets, strangers: TokenBuckets) -> None:
        self._app = app
        self._buckets = buckets
        self._strangers = strangers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = scope.get("caller")
        if isinstance(caller, Caller | StaffCaller):
            await self._limited(self._buckets, caller.subject, scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(_API):
            await self._limited(self._strangers, counted_at(address_of(scope)), scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _limited(
        self, buckets: TokenBuckets, key: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        admission = buckets.admit(key)

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["RateLimit-Policy"] = buckets.policy
                headers["RateLimit"] = f'"{buckets.name}";r={admission.remaining};t={admission.reset}'
            await send(message)

        if admission.passes:
            await self._app(scope, receive, told)
        else:
            refusal = TooManyRequests(admission.retry_after)
            await of_error(refusal, scope.get("request_id"))(scope, receive, told)
