"""Ids are types with prefixes, so that one can't be passed for another; they sort by time of birth.

The body is a ULID (https://github.com/ulid/spec) in lower case: 26 characters of Crockford's base 32.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any, ClassVar, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import core_schema
from ulid import ULID

_BODY = "[0-7][0-9a-hjkmnp-tv-z]{25}"


class Id(str):
    """A prefixed, time-ordered id. Constructing one from a malformed string raises ValueError."""

    __slots__ = ()
    prefix: ClassVar[str] = ""
    _pattern: ClassVar[re.Pattern[str]]

    def __init_subclass__(cls) -> None:
        cls._pattern = re.compile(f"{cls.prefix}_{_BODY}")

    def __new__(cls, value: str) -> Self:
        if not cls._pattern.fullmatch(value):
            raise ValueError(f"not an id of the form {cls.prefix}_…")
        return super().__new__(cls, value)

    @classmethod
    def new(cls) -> Self:
        return cls(f"{cls.prefix}_{str(ULID()).lower()}")

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(
            cls,
            core_schema.str_schema(pattern=f"^{cls._pattern.pattern}$"),
            serialization=core_schema.to_string_ser_schema(),
        )


class TenantId(Id):
    prefix = "ten"


def tenant_sha256(tenant: TenantId) -> str:
    """What a tenant is known by once it was erased (hex)."""
    return hashlib.sha256(tenant.encode()).hexdigest()


class ApiKeyId(Id):
    prefix = "key"


class BatchId(Id):
    prefix = "bat"


class ImageId(Id):
    prefix = "img"


class ChunkId(Id):
    prefix = "chk"


class EndpointId(Id):
    prefix = "whe"


class DeliveryId(Id):
    prefix = "whd"


class CredentialId(Id):
    prefix = "crd"


class LeaseId(Id):
    prefix = "lse"


class ProbeId(Id):
    prefix = "prb"


class UserId(Id):
    prefix = "usr"


class InviteId(Id):
    prefix = "inv"


class SessionId(Id):
    prefix = "ses"


class StaffId(Id):
    """One of the platform's own people."""

    prefix = "stf"


class TokenId(Id):
    """The `jti` of an access token."""

    prefix = "tok"


class DomainId(Id):
    prefix = "dom"


class HumanModelId(Id):
    """A person of a tenant, on whose photo garments are shown."""

    prefix = "hum"


class CustomModelId(Id):
    """An ONNX model of a tenant; each of its versions is named by its SHA-256."""

    prefix = "mdl"


class AuditId(Id):
    prefix = "aud"


class ErasureId(Id):
    prefix = "ers"


class MessageId(Id):
    prefix = "msg"
