"""What is sent to make or change a key. Secrets stand in SecretStr and are in no repr, problem or log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from libs.common.contracts.credentials import CredentialTerms
from libs.common.contracts.providers import ProviderName
from libs.common.contracts.routing import PolicyName, WhenUnavailable
from services.gateway import byok_examples as examples

_MOST_FIELDS, _LONGEST = 16, 16_384
TEXT = r"^[^\u0000-\u001f\u007f]*$"


def _texts_by_name(value: Any) -> Any:
    """Refuses as a whole what does not fit, as names and values may both be secrets in a wrong place."""
    fits = isinstance(value, Mapping) and len(value) <= _MOST_FIELDS
    if not fits or not all(_is_text(name) and _is_text(text) for name, text in value.items()):
        raise ValueError(f"Send an object of at most {_MOST_FIELDS} texts by field name.")
    return value


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and "\x00" not in value


Secret = Annotated[
    dict[str, SecretStr],
    BeforeValidator(_texts_by_name),
    Field(
        description="Secret fields by name, as the provider's card asks for them. Write-only: no answer ever "
        "holds them.",
        json_schema_extra={"writeOnly": True, "maxProperties": _MOST_FIELDS},
    ),
]
Settings = Annotated[
    dict[str, str],
    BeforeValidator(_texts_by_name),
    Field(
        description="Fields that are no secret, by name, as the provider's card asks for them.",
        json_schema_extra={"maxProperties": _MOST_FIELDS},
    ),
]
Label = Annotated[str, Field(min_length=1, max_length=100, pattern=TEXT)]
Priority = Annotated[int, Field(ge=-1000, le=1000, description="The highest goes first.")]
Cap = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,6}(\.[0-9]{1,6})?$",
        description="USD a month; reservations count, so that it is never overshot.",
        examples=["250.00"],
    ),
]
Regions = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=64, pattern=TEXT)], ...],
    Field(max_length=64, description="Regions that it may be used in; all if empty."),
]
Models = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=128, pattern=TEXT)], ...],
    Field(max_length=64, description="Models that it may be used for; all if empty."),
]
Expiry = Annotated[
    AwareDatetime,
    Field(
        ge=datetime(2000, 1, 1, tzinfo=UTC),
        lt=datetime(2200, 1, 1, tzinfo=UTC),
        description="When it ends, if its provider says so; you are warned before.",
    ),
]


class NewCredential(BaseModel):
    """A key of yours. What `settings` and `secret` hold is told by `GET /credential-providers`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.NEW_CREDENTIAL]})

    provider: ProviderName
    label: Label
    settings: Settings = Field(default_factory=dict)
    secret: Secret
    enabled: bool = True
    priority: Priority = 0
    monthly_cap: Cap | None = None
    regions: Regions = ()
    models: Models = ()
    expires_at: Expiry | None = None

    def terms(self) -> CredentialTerms:
        return CredentialTerms.model_validate(self.model_dump(include=set(CredentialTerms.model_fields)))


class ChangedTerms(BaseModel):
    """Only what is to be changed (RFC 7396): null takes a cap or an end away."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.TERMS]})

    # What is absent stays as it is and is never null: hence factories, whose values are not used.
    label: Label = Field(default_factory=str)
    enabled: bool = Field(default_factory=bool)
    priority: Priority = Field(default_factory=int)
    monthly_cap: Cap | None = None
    regions: Regions = Field(default_factory=tuple)
    models: Models = Field(default_factory=tuple)
    expires_at: Expiry | None = None

    def over(self, terms: CredentialTerms) -> CredentialTerms:
        """The terms with these changes."""
        return CredentialTerms.model_validate(terms.model_dump() | self.model_dump(exclude_unset=True))


class NewSecret(BaseModel):
    """A secret that replaces the one before, once it was checked."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.NEW_SECRET]})

    secret: Secret
    settings: Settings | None = None
    grace_s: int = Field(
        86_400, ge=0, le=7 * 86_400, description="Seconds for which the old one can be brought back."
    )


class NewPolicy(BaseModel):
    """The policy from now on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.POLICY]})

    policy: PolicyName
    when_unavailable: WhenUnavailable = WhenUnavailable.WAIT
    fallback_monthly_cap: Cap | None = None


def revealed(secret: Mapping[str, SecretStr]) -> dict[str, str]:
    """For sealing, and for nothing else."""
    return {name: value.get_secret_value() for name, value in secret.items()}
