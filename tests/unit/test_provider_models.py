"""Retired models, those that soon will be, and the cards that say so."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from libs.common.contracts.providers import Ability, ProviderName
from libs.common.providers import card, cards, price_of
from libs.common.providers.fields import FieldInvalid, fit
from libs.common.providers.models import (
    ModelRetired,
    abilities_of,
    refuse_retired,
    retired,
    successor,
)

GOOGLE = card(ProviderName.GOOGLE_VERTEX)
PHOTOROOM = card(ProviderName.PHOTOROOM)
OLD, ITS_LAST_DAY, ITS_SUCCESSOR = "gemini-2.5-flash-image", date(2027, 3, 15), "gemini-3.1-flash-lite-image"
KEY_FILE = '{"type": "service_account"}'


def test_a_model_is_retired_from_its_day_on() -> None:
    """Not the day before."""
    assert not retired(GOOGLE, OLD, ITS_LAST_DAY - timedelta(days=1))
    assert retired(GOOGLE, OLD, ITS_LAST_DAY)


def test_a_retired_model_is_refused_with_its_successors_name() -> None:
    """At the field that names it."""
    refuse_retired(GOOGLE, {"model": OLD}, ITS_LAST_DAY - timedelta(days=1))
    with pytest.raises(ModelRetired, match=ITS_SUCCESSOR) as refused:
        refuse_retired(GOOGLE, {"model": OLD}, ITS_LAST_DAY)
    assert (refused.value.field, refused.value.code) == ("model", "model_retired")


def test_a_model_that_the_card_does_not_know_is_not_retired() -> None:
    """A newer one than the card must not be refused."""
    today = date(2030, 1, 1)
    assert not retired(GOOGLE, "gemini-9-image", today)
    assert successor(GOOGLE, "gemini-9-image") is None
    refuse_retired(GOOGLE, {}, today)


def test_a_line_of_successors_is_followed_to_its_end() -> None:
    """Nobody is sent to a model that ends next, nor around in a circle."""
    models = [
        GOOGLE.models[1].model_copy(update={"name": name, "successor": after})
        for name, after in (("a", "b"), ("b", "c"), ("c", None), ("x", "y"), ("y", "x"))
    ]
    line = GOOGLE.model_copy(update={"models": tuple(models)})
    assert successor(line, "a") == "c"
    assert successor(line, "c") is None
    assert successor(line, "x") == "x"


@pytest.mark.parametrize("one", cards(), ids=lambda one: one.name.value)
def test_a_card_keeps_to_itself(one: object) -> None:
    """Successors and models of prices are on it, and a model does nothing that its provider can't."""
    known = next(each for each in cards() if each is one)
    names = {model.name for model in known.models}
    assert {model.successor for model in known.models} - {None} <= names
    assert {price.model for price in known.prices} - {None} <= names
    assert {ability for model in known.models for ability in model.abilities} <= set(known.abilities)
    assert all(price.source for price in known.prices)
    assert known.retention


def test_a_default_model_is_offered_for_more_than_a_season() -> None:
    """Whoever leaves the field empty gets one that lasts."""
    default = next(field.default for field in GOOGLE.fields if field.name == "model")
    assert not retired(GOOGLE, default, date(2027, 5, 24))


def test_what_a_google_credential_can_do_and_costs_is_up_to_its_model() -> None:
    """An endpoint of the tenant's own segments, and is paid by the second; Gemini draws by the picture."""
    assert abilities_of(GOOGLE, {"model": "endpoint"}) == (Ability.SEGMENT,)
    assert Ability.GHOST in abilities_of(GOOGLE, {"model": "gemini-3-pro-image"})
    assert Ability.SEGMENT not in abilities_of(GOOGLE, {"model": "gemini-3-pro-image"})
    units = [price_of(GOOGLE.name, model).unit for model in ("endpoint", "gemini-3-pro-image", None)]
    assert units == ["second", "image", "image"]
    assert abilities_of(GOOGLE, {"model": "gemini-9-image"}) == ()
    assert abilities_of(PHOTOROOM, {}) == (Ability.GHOST,)


@pytest.mark.parametrize(
    "settings",
    [
        {"project": "UPPER-CASE"},
        {"location": "europe-west4.evil.example"},
        {"model": "https://evil.example"},
        {"model": "endpoint", "endpoint": "1/../2"},
        {"model": "endpoint", "endpoint": "1", "dedicated_host": "evil.example"},
    ],
)
def test_fields_of_google_that_would_lead_elsewhere_do_not_fit(settings: dict[str, str]) -> None:
    """The form, the API and the vault refuse them before an adapter sees them."""
    with pytest.raises(FieldInvalid):
        fit(GOOGLE, settings, {"service_account": KEY_FILE})


def test_a_google_credential_needs_no_more_than_its_key_file() -> None:
    """All else has a default."""
    fields = fit(GOOGLE, {}, {"service_account": KEY_FILE})
    assert fields.settings == {"location": "global", "model": "gemini-3.1-flash-image"}


@pytest.mark.parametrize("key", ["sandbox_sk_pr_0123456789abcdef", "short", "sk_pr_with space_0123456789"])
def test_a_key_of_photorooms_sandbox_does_not_fit(key: str) -> None:
    """Its pictures carry a watermark."""
    with pytest.raises(FieldInvalid):
        fit(PHOTOROOM, {}, {"api_key": key})
