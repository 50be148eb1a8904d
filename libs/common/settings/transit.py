"""Encryption in transit: which of a service's connections would go over a network in the clear.

In production that refuses to start. Connections to the machine itself are left alone: a proxy beside the
process (a sidecar) is reached over loopback.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings

PRODUCTION = "production"
_MEND = {
    "nats": "use tls://",
    "ws": "use wss://",
    "amqp": "use amqps://",
    "http": "use https://",
    "smtp": "use smtps://, or smtp:// with ?starttls=required",
}
_CHECKED_MODES = ("verify-ca", "verify-full")


def environment(variables: Mapping[str, str] = os.environ) -> str:
    """MANNEQUIN_ENV; production where nobody says otherwise, as that is the stricter one."""
    return variables.get("MANNEQUIN_ENV", PRODUCTION)


def in_the_clear(settings: BaseSettings) -> list[str]:
    """What is wrong with each URL of the settings that is not encrypted, by its setting's name; no
    secrets.
    """
    return [
        f"{name}: {mend}" for name, url in _urls(settings) if not _stays_here(url) and (mend := _mend(url))
    ]


def _urls(settings: BaseSettings) -> Iterator[tuple[str, str]]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(text, str) and "://" in text:
            yield name, text


def _stays_here(url: str) -> bool:
    host = urlsplit(url).hostname
    try:
        return host is None or host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _mend(url: str) -> str | None:
    parts = urlsplit(url)
    if parts.scheme in ("postgresql", "postgres"):
        mode = parse_qs(parts.query).get("sslmode", [""])[-1]
        return None if mode in _CHECKED_MODES else f"add ?sslmode={_CHECKED_MODES[-1]}&sslrootcert=…"
    if parts.scheme == "smtp" and parse_qs(parts.query).get("starttls", [""])[-1] == "required":
        return None
    return _MEND.get(parts.scheme)
