"""The JSON Schema of a form asks for what the check of the fields asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from libs.common.contracts.providers import (
    CredentialField,
    FieldKind,
    ProviderCard,
    ProviderName,
)
from libs.common.errors import Invalid
from libs.common.providers import card, cards
from libs.common.providers.fields import fit
from libs.common.providers.forms import form

KEYED = [name for name in ProviderName if name is not ProviderName.ONNX]
OPEN = card(ProviderName.OPEN_INFERENCE)
CHOOSY = OPEN.model_copy(
    update={
        "fields": (
            CredentialField(name="region", title="Region", kind=FieldKind.CHOICE, choices=("eu", "us")),
            CredentialField(name="account", title="Account", kind=FieldKind.JSON, secret=True),
        ),
        "one_of": (),
    }
)


def filled(known: ProviderCard, settings: dict[str, str], secret: dict[str, str]) -> dict[str, Any]:
    return {"provider": known.name, "label": "x", "settings": settings, "secret": secret}


def cases() -> Iterator[tuple[ProviderCard, dict[str, str], dict[str, str], bool]]:
    url = {"url": "https://gpu.example"}
    yield OPEN, url, {"bearer": "t"}, True
    yield OPEN, url, {"bearer": "t", "api_key": "k"}, True
    yield OPEN, {**url, "model": "mannequin-2"}, {"api_key": "k"}, True
    yield OPEN, {}, {"bearer": "t"}, False
    yield OPEN, url, {}, False
    yield OPEN, url, {"token": "t"}, False
    yield OPEN, {**url, "colour": "red"}, {"bearer": "t"}, False
    yield OPEN, {"url": "ftp://gpu.example"}, {"bearer": "t"}, False
    yield OPEN, {**url, "model": "two words"}, {"bearer": "t"}, False
    yield OPEN, url, {"bearer": "t" * 5000}, False
    yield CHOOSY, {"region": "eu"}, {"account": "{}"}, True
    yield CHOOSY, {"region": "moon"}, {"account": "{}"}, False


@pytest.mark.parametrize("provider", KEYED)
def test_every_form_is_a_json_schema(provider: ProviderName) -> None:
    """Of the draft that it names, with every field of the card and secrets marked as write-only."""
    known = card(provider)
    made = form(known)
    assert made is not None
    assert jsonschema_rs.meta.is_valid(made)
    for field in known.fields:
        place = made["properties"]["secret" if field.secret else "settings"]["properties"][field.name]
        assert place.get("writeOnly", False) is field.secret


@pytest.mark.parametrize(("known", "settings", "secret", "good"), list(cases()))
def test_form_and_check_agree(
    known: ProviderCard, settings: dict[str, str], secret: dict[str, str], good: bool
) -> None:
    """What a form lets through is taken, and the other way round."""
    body = filled(known, settings, secret)
    assert jsonschema_rs.Draft202012Validator(form(known) or {}).is_valid(body) is good
    if good:
        fit(known, settings, secret)
    else:
        with pytest.raises(Invalid):
            fit(known, settings, secret)


def test_the_platform_itself_has_no_form() -> None:
    """It needs no key."""
    assert [known.name for known in cards() if form(known) is None] == [ProviderName.ONNX]
