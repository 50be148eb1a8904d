"""Handing letters to a mail server (RFC 5321)."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Protocol, Self
from urllib.parse import parse_qs, unquote, urlsplit

import aiosmtplib
from pydantic import SecretStr

from libs.common.errors import Permanent, Unavailable

_LIMIT_S = 20.0
_SMTPS_PORT, _SUBMISSION_PORT = 465, 587


class Post(Protocol):
    """Takes letters to their readers' mail server."""

    async def send(self, message: EmailMessage) -> None:
        """Return once it was taken; Permanent if it never will be (5xx), Unavailable if not now."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where it is and how it is spoken to: TLS from the start, raised to it (RFC 3207), or neither."""

    host: str
    port: int
    tls: bool
    starttls: bool
    user: str | None
    password: str | None = field(repr=False)

    @classmethod
    def of(cls, url: SecretStr) -> Self:
        """Of `smtp://` or `smtps://`, as the settings have checked it."""
        parts = urlsplit(url.get_secret_value())
        tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname or "",
            port=parts.port or (_SMTPS_PORT if tls else _SUBMISSION_PORT),
            tls=tls,
            starttls=parse_qs(parts.query).get("starttls", [""])[-1] == "required",
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )


class SmtpPost:
    """Over a connection for each letter: they are few."""

    def __init__(self, server: MailServer) -> None:
        self._server = server

    async def send(self, message: EmailMessage) -> None:
        server = self._server
        try:
            await aiosmtplib.send(
                message,
                hostname=server.host,
                port=server.port,
                username=server.user,
                password=server.password,
                use_tls=server.tls,
                start_tls=server.starttls,
                timeout=_LIMIT_S,
            )
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise _translated(max(one.code for one in refused.recipients)) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _translated(error.code) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable("the mail server does not answer") from error


def _translated(code: int) -> Permanent | Unavailable:
    """Without the server's words, in which the reader's address may stand."""
    if code >= 500:
        return Permanent(f"the mail server refused the letter ({code})")
    return Unavailable(f"the mail server does not take the letter now ({code})")
