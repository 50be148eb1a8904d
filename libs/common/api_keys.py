"""The form of an API key: `im_live_` or `im_test_`, a public id, a secret and a checksum.

    im_live_ 8sZ0pQm41xYa wJ3…30 characters… 0aB3xZ
    mode     public id    secret             CRC-32 of all before it

All in base 62. The checksum finds typing errors without a look-up, and lets scanners of leaked secrets tell
a key from noise (https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/).
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass

from pydantic import SecretStr

from libs.common.contracts.tenants import KeyMode

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PUBLIC, _SECRET, _CHECKSUM = 12, 30, 6
_FORM = re.compile(
    rf"im_(live|test)_([0-9A-Za-z]{{{_PUBLIC}}})[0-9A-Za-z]{{{_SECRET}}}([0-9A-Za-z]{{{_CHECKSUM}}})"
)


@dataclass(frozen=True, slots=True)
class ParsedKey:
    """What a well-formed key says of itself; `sha256` (hex) is of the whole key."""

    mode: KeyMode
    public_id: str
    sha256: str


@dataclass(frozen=True, slots=True)
class GeneratedKey(ParsedKey):
    """A new key; `secret` is the whole of it, to be shown once and stored nowhere."""

    secret: SecretStr


def generate(mode: KeyMode) -> GeneratedKey:
    """A key with 178 bits of secret."""
    public_id = _random(_PUBLIC)
    body = f"im_{mode.value}_{public_id}{_random(_SECRET)}"
    key = body + _checksum(body)
    return GeneratedKey(mode, public_id, _digest(key), SecretStr(key))


def parse(text: str) -> ParsedKey | None:
    """The parts of a key, or None for what can't be one."""
    found = _FORM.fullmatch(text)
    if found is None or _checksum(text[:-_CHECKSUM]) != found[3]:
        return None
    return ParsedKey(KeyMode(found[1]), found[2], _digest(text))


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits
