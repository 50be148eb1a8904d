"""Providers: who computes an image, on whose account, and what is known of each (owner: the platform).

Cards are data (`libs/common/providers/*.yaml`) that the forms, the vault, the routing and the adapters share.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from libs.common.contracts.ids import CredentialId
from libs.common.contracts.message import Body


class ProviderName(StrEnum):
    """Who can compute an image."""

    ONNX = "onnx"
    OPEN_INFERENCE = "open-inference"
    AWS_SAGEMAKER = "aws-sagemaker"
    GOOGLE_VERTEX = "google-vertex"
    PHOTOROOM = "photoroom"


class Ability(StrEnum):
    """What a provider can do: find the garment's pixels, render the whole picture, dress a person in it."""

    SEGMENT = "segment"
    GHOST = "ghost"
    ON_MODEL = "on-model"


class Payer(StrEnum):
    """Whose account the computing is on."""

    TENANT = "tenant"
    PLATFORM = "platform"


class PriceUnit(StrEnum):
    IMAGE = "image"
    SECOND = "second"


class Price(Body):
    """What one unit costs, in US dollars, as the source said on that date. `model` None: every model."""

    unit: PriceUnit
    amount: Decimal = Field(ge=0)
    model: str | None = None
    as_of: date
    source: str


class ProviderModel(Body):
    """A model of a provider, and when it is retired in favour of `successor`, if that is known."""

    name: str
    abilities: tuple[Ability, ...]
    retires_on: date | None = None
    successor: str | None = None


class FieldKind(StrEnum):
    """How a form asks for a field, and what may stand in it."""

    TEXT = "text"
    URL = "url"
    PASSWORD = "password"  # noqa: S105  # a kind of field, not one of them
    JSON = "json"
    CHOICE = "choice"


class CredentialField(Body):
    """A field of a credential. Secret ones are write-only; the others are shown and travel in routes.

    `choices` are of kind CHOICE. `pattern` is a regular expression for the whole value.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    title: str
    help: str = ""
    kind: FieldKind = FieldKind.TEXT
    secret: bool = False
    required: bool = True
    pattern: str | None = None
    max_length: int = Field(2048, ge=1, le=16_384)
    choices: tuple[str, ...] = ()
    default: str | None = None


class Limits(Body):
    """What the provider takes: bytes and px of a photo, calls at a time on one credential, s of a call."""

    max_bytes: int = Field(ge=1)
    max_side: int = Field(ge=1)
    concurrency: int = Field(ge=1)
    timeout_s: float = Field(gt=0)


class ProviderCard(Body):
    """All that is known of a provider without asking it.

    Any of `one_of` (names of secret fields, together) makes a complete secret. `probe_every_s`: seconds
    between checks of a healthy key. `retention`: what the provider says it keeps of a photo.
    """

    name: ProviderName
    title: str
    description: str
    documentation: str
    abilities: tuple[Ability, ...]
    fields: tuple[CredentialField, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    limits: Limits
    prices: tuple[Price, ...]
    models: tuple[ProviderModel, ...] = ()
    probe_every_s: float = Field(240, gt=0)
    retention: str = ""


class Route(Body):
    """Who computes an image and on whose account; `settings` are the credential's fields that are no secret.

    `reason` says in words why. `price` is what an image is expected to cost (USD), `price_table` of what
    version of the cards.
    """

    provider: ProviderName = ProviderName.ONNX
    payer: Payer = Payer.PLATFORM
    ability: Ability = Ability.SEGMENT
    credential_id: CredentialId | None = None
    credential_version: int | None = None
    settings: dict[str, str] = Field(default_factory=dict)
    fallback: bool = False
    reason: str = ""
    price: Decimal = Decimal(0)
    price_table: str = ""


class RouteTaken(Body):
    """The route of a finished image, as its owner sees it. `cost` in USD."""

    provider: ProviderName
    payer: Payer
    credential_id: CredentialId | None = None
    fallback: bool = False
    reason: str = ""
    cost: Decimal | None = None


class FaultKind(StrEnum):
    """Whose fault a failed call is. Only the first kind fails a key."""

    KEY = "key"
    PROVIDER = "provider"
    REQUEST = "request"


class FaultCode(StrEnum):
    """Why a call failed. Stable: customers' programs compare these strings."""

    REVOKED = "revoked"
    EXPIRED = "expired"
    NO_PERMISSION = "no_permission"
    QUOTA = "quota"
    BILLING = "billing"
    MALFORMED = "malformed"
    NOT_FOUND = "not_found"
    RETIRED = "retired"
    OVERLOADED = "overloaded"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"
    BAD_ANSWER = "bad_answer"
    BAD_PICTURE = "bad_picture"
    REFUSED_PICTURE = "refused_picture"

    @property
    def kind(self) -> FaultKind:
        return _KINDS[self]


_KINDS = {
    FaultCode.REVOKED: FaultKind.KEY,
    FaultCode.EXPIRED: FaultKind.KEY,
    FaultCode.NO_PERMISSION: FaultKind.KEY,
    FaultCode.QUOTA: FaultKind.KEY,
    FaultCode.BILLING: FaultKind.KEY,
    FaultCode.MALFORMED: FaultKind.KEY,
    FaultCode.NOT_FOUND: FaultKind.KEY,
    FaultCode.RETIRED: FaultKind.KEY,
    FaultCode.OVERLOADED: FaultKind.PROVIDER,
    FaultCode.UNAVAILABLE: FaultKind.PROVIDER,
    FaultCode.TIMEOUT: FaultKind.PROVIDER,
    FaultCode.BAD_ANSWER: FaultKind.PROVIDER,
    FaultCode.BAD_PICTURE: FaultKind.REQUEST,
    FaultCode.REFUSED_PICTURE: FaultKind.REQUEST,
}


class Fault(Body):
    """A failed call, without a word of the credential. `detail` is our sentence, not the provider's."""

    code: FaultCode
    detail: str = Field(max_length=500)

    @property
    def kind(self) -> FaultKind:
        return self.code.kind
