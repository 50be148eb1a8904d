"""A tenant's Google service account: its key, and the short-lived tokens that it is exchanged for.

Source: https://developers.google.com/identity/protocols/oauth2/service-account (HTTP/REST), read 2026-11-24;
the errors are those of RFC 6749 section 5.2.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from google.auth import jwt
from google.auth.crypt import RSASigner
from yarl import URL

from libs.common.contracts.providers import FaultCode
from services.inference.providers.faults import Sorting, failed, failed_status
from services.inference.providers.provider import CallFailed
from services.inference.providers.web_calls import WebAnswer, WebCalls

TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  # an address
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_UNIVERSE = "googleapis.com"
_LIFE_S, _SPARE_S = 3600, 120
_ANSWER_BYTES = 64 * 1024
_LONGEST_JSON, _LONGEST_TOKEN = 16_384, 16_384
_REFUSALS = {
    "invalid_grant": FaultCode.REVOKED,
    "invalid_client": FaultCode.REVOKED,
    "disabled_client": FaultCode.REVOKED,
    "deleted_client": FaultCode.REVOKED,
    "unauthorized_client": FaultCode.NO_PERMISSION,
    "access_denied": FaultCode.NO_PERMISSION,
    "invalid_scope": FaultCode.NO_PERMISSION,
}
_STATUSES: Sorting = {FaultCode.BAD_PICTURE: FaultCode.MALFORMED}
_OUR_CLOCK = "reasonable timeframe"
"""So Google says of a signature whose time is not now: no fault of the key."""


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who signs, in which project."""

    email: str
    project: str
    signer: RSASigner = field(repr=False)

    def assertion(self) -> str:
        """A signed request for a token, good for an hour. The audience is Google, whoever it is sent to."""
        now = int(time.time())
        claims = {
            "iss": self.email,
            "scope": SCOPE,
            "aud": TOKEN_URI,
            "iat": now,
            "exp": now + _LIFE_S,
        }
        signed: bytes = jwt.encode(self.signer, claims)  # type: ignore[no-untyped-call]
        return signed.decode("ascii")


def read_service_account(text: str) -> ServiceAccount:
    """The account of a key file. CallFailed (malformed) where it is none, or would have us ask elsewhere.

    A credential must not say where it is sent: any other token_uri or universe is refused.
    """
    facts = _facts(text)
    if facts.get("type") != "service_account":
        raise _malformed("the JSON is not the key of a service account")
    if facts.get("token_uri") != TOKEN_URI or facts.get("universe_domain", _UNIVERSE) != _UNIVERSE:
        raise _malformed("the service account's token_uri must be Google's own")
    email = facts.get("client_email")
    if not isinstance(email, str) or not email.isascii() or "@" not in email:
        raise _malformed("the service account has no client_email")
    return ServiceAccount(email, str(facts.get("project_id", "")), _signer(facts))


def _facts(text: str) -> Mapping[str, Any]:
    try:
        facts = json.loads(text) if len(text) <= _LONGEST_JSON else None
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise _malformed("the service account's key is not JSON")
    return facts


def _signer(facts: Mapping[str, Any]) -> RSASigner:
    """Without the trail of what a parser says of a key: it may quote it."""
    with suppress(Exception):
        signer: RSASigner = RSASigner.from_service_account_info(facts)  # type: ignore[no-untyped-call]
        return signer
    raise _malformed("the service account's private_key can't be read")


def _malformed(sentence: str) -> CallFailed:
    return failed(FaultCode.MALFORMED, sentence=sentence)


class Tokens:
    """Access tokens of one account, kept until shortly before they end."""

    def __init__(self, account: ServiceAccount, calls: WebCalls, url: URL) -> None:
        self._account = account
        self._calls = calls
        self._url = url
        self._token = ""
        self._until = 0.0
        self._asking = asyncio.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._account.email!r})"

    async def get(self) -> str:
        """A token that is good for some time. CallFailed."""
        async with self._asking:
            if time.monotonic() >= self._until:
                await self._exchange()
            return self._token

    async def exchange(self) -> None:
        """Ask for a new one now, whether or not there is one: free, and fails where the key is of no use."""
        async with self._asking:
            await self._exchange()

    def forget(self, token: str) -> None:
        """Google no longer takes this one."""
        if token == self._token:
            self._until = 0.0

    async def _exchange(self) -> None:
        self._until = 0.0
        assertion = await asyncio.to_thread(self._account.assertion)
        form = urlencode({"grant_type": _GRANT, "assertion": assertion}).encode()
        answer = await self._calls.request("POST", self._url, _ANSWER_BYTES, headers=_FORM, body=form)
        self._token, life_s = _token_of(answer)
        self._until = time.monotonic() + max(0, life_s - _SPARE_S)


def _token_of(answer: WebAnswer) -> tuple[str, int]:
    """The token and how long it lives (s)."""
    said = _object(answer.body)
    if answer.status != 200:
        raise _refusal(answer, said)
    token, life_s = said.get("access_token"), said.get("expires_in")
    if not _is_token(token) or type(life_s) is not int or not 0 < life_s <= 24 * _LIFE_S:
        raise failed(FaultCode.BAD_ANSWER, "of the token endpoint")
    return str(token), life_s


def _refusal(answer: WebAnswer, said: Mapping[str, Any]) -> CallFailed:
    origin = f"HTTP {answer.status} of the token endpoint"
    if _OUR_CLOCK in str(said.get("error_description", "")):
        return failed(FaultCode.UNAVAILABLE, origin, "the provider and we do not agree on what time it is")
    code = _REFUSALS.get(str(said.get("error", ""))) if 400 <= answer.status < 500 else None
    return failed(code, origin) if code else failed_status(answer.status, sorting=_STATUSES)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _is_token(token: object) -> bool:
    return (
        isinstance(token, str)
        and 0 < len(token) <= _LONGEST_TOKEN
        and token.isascii()
        and token.isprintable()
        and " " not in token
    )
