"""Passwords: argon2id (RFC 9106) in threads of its own, and which ones are too easy to guess."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import SecretStr

from services.tenants.people.errors import PasswordWeak
from services.tenants.people.settings import PeopleSettings

SHORTEST: Final = 12
LONGEST: Final = 256
_FEWEST_CHARACTERS = 5
Found = TypeVar("Found")


class Passwords:
    """Hashes and checks without holding up the event loop."""

    def __init__(self, settings: PeopleSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.password_rounds, memory_cost=settings.password_memory_kib, parallelism=1
        )
        self._threads = ThreadPoolExecutor(settings.password_threads, "passwords")
        self._nobodys = self._hasher.hash("nobody's password")

    async def hash(self, password: SecretStr) -> str:
        return await self._run(self._hasher.hash, prepared(password))

    async def fits(self, password: SecretStr, stored: str | None) -> bool:
        """Whether it is the password of `stored`; without one it takes as long, and is not."""
        return await self._run(self._verify, prepared(password), stored or self._nobodys) and bool(stored)

    def is_dated(self, stored: str) -> bool:
        """Whether `stored` was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(stored)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[..., Found], *arguments: str) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def prepared(password: SecretStr) -> str:
    """As it is hashed: in NFKC, so that every keyboard writes the same (NIST SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password.get_secret_value())


def refuse_weak(password: SecretStr, *known: str) -> None:
    """PasswordWeak if it is too short, of too few characters, or made of what is known of its owner.

    known: the owner's e-mail address and name. No classes of characters are asked for (NIST SP 800-63B).
    """
    text = prepared(password)
    if not SHORTEST <= len(text) <= LONGEST:
        raise PasswordWeak(f"The password needs {SHORTEST} to {LONGEST} characters.", field="password")
    if len(set(text)) < _FEWEST_CHARACTERS:
        raise PasswordWeak("The password repeats too few characters.", field="password")
    lower = text.lower()
    for part in (part for word in known for part in _parts(word)):
        lower = lower.replace(part, "")
    if len(lower) < SHORTEST // 2:
        raise PasswordWeak("The password is made of the name or the e-mail address.", field="password")


def _parts(word: str) -> list[str]:
    whole = unicodedata.normalize("NFKC", word).lower()
    pieces = whole.replace("@", " ").replace(".", " ").split()
    return sorted({whole, *(piece for piece in pieces if len(piece) > 2)} - {""}, key=len, reverse=True)
