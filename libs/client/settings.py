"""How a client is set up: by argument, else by the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from libs.client.errors import Misconfigured
from libs.client.retry import RetryPolicy

DEFAULT_URL = "http://127.0.0.1:8080"
_VERSION = "0.1.0"


@dataclass(frozen=True)
class ClientSettings:
    """api_key: `im_live_…` (MANNEQUIN_API_KEY). api_url: without a path (MANNEQUIN_API_URL)."""

    api_key: str = field(repr=False)
    api_url: str
    timeout_s: float
    retry: RetryPolicy

    @classmethod
    def of(
        cls,
        api_key: str | None = None,
        api_url: str | None = None,
        *,
        timeout_s: float = 60.0,
        retry: RetryPolicy | None = None,
    ) -> ClientSettings:
        """Misconfigured if there is no key, or one of them can't be what it should."""
        key = api_key or os.environ.get("MANNEQUIN_API_KEY")
        url = api_url or os.environ.get("MANNEQUIN_API_URL") or DEFAULT_URL
        return cls(_key(key), _url(url), timeout_s, retry or RetryPolicy())

    def http(self) -> dict[str, Any]:
        """Arguments of an httpx client."""
        headers = {"authorization": f"Bearer {self.api_key}", "user-agent": f"mannequin-python/{_VERSION}"}
        return {"base_url": self.api_url, "headers": headers, "timeout": self.timeout_s}


def _key(given: str | None) -> str:
    key = (given or "").strip()
    if not key:
        raise Misconfigured("An API key is needed: pass api_key (--api-key), or set MANNEQUIN_API_KEY.")
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise Misconfigured("The API key holds characters that no key has; copy it anew.")
    return key


def _url(given: str) -> str:
    wrong = Misconfigured(f"{given!r} is no address of an API; give one such as {DEFAULT_URL}.")
    try:
        parts = urlsplit(given.strip())
        parts.port  # noqa: B018  # raises if it is no number
    except ValueError:
        raise wrong from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise wrong
    return given.strip().rstrip("/")
