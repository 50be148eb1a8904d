"""A real SMTP server for the tests, that keeps what it was given."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from deploy.local.ports import HOST

LIMIT_S = 15.0


@dataclass
class Mailbox:
    """Letters in the order of their coming. refusals: answers that are given first, instead of taking one."""

    port: int = 0
    letters: list[EmailMessage] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:
        self._changed.set()
        if self.refusals:
            return self.refusals.pop(0)
        content = envelope.original_content
        assert content is not None
        self.letters.append(email.message_from_bytes(content, policy=email.policy.default))
        return "250 taken"

    async def count(self, number: int) -> list[EmailMessage]:
        """All letters, once there are that many."""
        async with asyncio.timeout(LIMIT_S):
            while len(self.letters) < number:
                self._changed.clear()
                await self._changed.wait()
        return self.letters


@asynccontextmanager
async def mailbox() -> AsyncIterator[Mailbox]:
    """A server on a port of loopback."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, enable_SMTPUTF8=True), HOST, 0)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()


def text_of(letter: EmailMessage, kind: str) -> str:
    """The part of a letter that is text/<kind>."""
    part = letter.get_body((kind,))
    assert part is not None
    return str(part.get_content())
