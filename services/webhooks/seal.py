"""Signing secrets at rest: Fernet tokens (https://github.com/fernet/spec), never the secrets themselves."""

from __future__ import annotations

from cryptography.fernet import Fernet, MultiFernet
from pydantic import SecretStr


class Seal:
    """keys: comma-separated Fernet keys; the first seals, all open. ValueError if one is malformed."""

    def __init__(self, keys: SecretStr) -> None:
        self._fernet = MultiFernet([Fernet(key.strip()) for key in keys.get_secret_value().split(",")])

    def seal(self, secret: SecretStr) -> bytes:
        return self._fernet.encrypt(secret.get_secret_value().encode())

    def open(self, sealed: bytes) -> SecretStr:
        """cryptography.fernet.InvalidToken if none of the keys sealed it."""
        return SecretStr(self._fernet.decrypt(sealed).decode())
