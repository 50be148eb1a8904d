"""What the API shows of keys, routes and charges. There is no model here that could hold a secret."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from libs.common.contracts import credentials as contract
from libs.common.contracts import routing
from libs.common.contracts.credentials import Health
from libs.common.contracts.ids import CredentialId
from libs.common.contracts.providers import (
    Ability,
    CredentialField,
    Limits,
    Price,
    ProviderCard,
    ProviderModel,
    ProviderName,
)
from libs.common.contracts.quotas import QuotaEffect
from libs.common.contracts.routing import PolicyName, RoutedShare, SavingsRow, UsageRow, WhenUnavailable
from libs.common.providers import forms
from libs.common.providers.models import retired
from services.gateway import byok_examples as examples
from services.gateway.views import Page, shown


class Credential(BaseModel):
    """A key of yours, without its secret: `last_four` characters and a keyed `fingerprint` tell two apart.

    `version` counts secrets. Until `previous_until` the secret before this one can be brought back. An empty
    list of `regions` or `models` allows all. `monthly_cap` is in USD. `health` says how the key stands since
    when, why, and what to do.
    """

    model_config = shown(examples.CREDENTIAL)

    id: CredentialId
    provider: ProviderName
    label: str
    enabled: bool
    health: Health
    version: int
    last_four: str
    fingerprint: str
    settings: dict[str, str]
    priority: int
    monthly_cap: Decimal | None
    regions: tuple[str, ...]
    models: tuple[str, ...]
    expires_at: datetime | None
    previous_until: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, credential: contract.Credential) -> Self:
        return cls.model_validate(credential.model_dump())


class CredentialPage(Page[Credential]):
    """All keys."""


class Model(ProviderModel):
    """A model of the provider. A `retired` one is refused; `successor` is what to name instead."""

    retired: bool


class CredentialProvider(BaseModel):
    """A provider: what it asks for, can do and costs, and which of its models end when.

    `form` is the JSON Schema of what `POST /credentials` takes for it; null where it needs no key. Any of
    `one_of`, names of secret fields together, makes a complete secret. Prices are in USD, each with its date
    and source. `retention` is what the provider says it keeps of a photo.
    """

    model_config = ConfigDict(frozen=True)

    name: ProviderName
    title: str
    description: str
    documentation: str
    abilities: tuple[Ability, ...]
    fields: tuple[CredentialField, ...]
    one_of: tuple[tuple[str, ...], ...]
    limits: Limits
    prices: tuple[Price, ...]
    models: tuple[Model, ...]
    retention: str
    form: dict[str, Any] | None

    @classmethod
    def of(cls, card: ProviderCard, today: date) -> Self:
        models = [
            {**model.model_dump(), "retired": retired(card, model.name, today)} for model in card.models
        ]
        return cls.model_validate({**card.model_dump(), "models": models, "form": forms.form(card)})


class CredentialProviderPage(Page[CredentialProvider]):
    """All providers."""


class RoutingPolicy(BaseModel):
    """Whose account computes your images, and what becomes of one that no route may take now.

    `fallback_monthly_cap` (USD) bounds what falling back to the platform may cost a month; a cap of the plan
    holds as well.
    """

    model_config = shown({**examples.POLICY, "updated_at": "2026-03-01T09:00:00Z"})

    policy: PolicyName
    when_unavailable: WhenUnavailable
    fallback_monthly_cap: Decimal | None
    updated_at: datetime | None

    @classmethod
    def of(cls, policy: routing.RoutingPolicy) -> Self:
        return cls.model_validate(policy.model_dump())


class Usage(BaseModel):
    """Charges from the day `start` to the day `end` (UTC), summed up by what was asked for.

    `platform_cost` is what the platform's own GPUs would have cost for the same images.
    """

    model_config = shown(examples.USAGE)

    start: date
    end: date
    currency: str
    rows: tuple[UsageRow, ...]
    total: UsageRow


class Savings(BaseModel):
    """By month: what the platform's computing would have cost without your keys, and what it did.

    `moved_share`, from 0 to 1, is the share of that cost that your keys moved to your own accounts.
    """

    model_config = shown(examples.SAVINGS)

    currency: str
    rows: tuple[SavingsRow, ...]
    total: SavingsRow


class Estimate(BaseModel):
    """What a batch would be, were it released as things stand now: counts, routes and prices.

    `waiting` images would have no route. `billable_at_most`: results that are rejected are not billed.
    `quota`: what it would take of your month, and the limit that it would hit, if any.
    """

    model_config = shown(examples.ESTIMATE)

    photos: int
    refused: int
    paired: int
    duplicates: int
    billable_at_most: int
    routes: tuple[RoutedShare, ...]
    waiting: int
    cost: Decimal
    currency: str
    price_table: str
    quota: QuotaEffect | None


def today() -> date:
    """The day that charges of this moment are of (UTC)."""
    return datetime.now(UTC).date()
