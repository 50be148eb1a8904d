"""Whether fields fit a provider's card, and that no refusal repeats what it refuses."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.providers import CredentialField, FieldKind, Limits, ProviderCard, ProviderName
from libs.common.providers import cards
from libs.common.providers.fields import FieldInvalid, fit
from tests.servers.planted import planted

VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=60)
ANYTHING = st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=4)
KINDS = {
    "text": CredentialField(name="text", title="Text", required=False),
    "url": CredentialField(name="url", title="Address", kind=FieldKind.URL, required=False),
    "choice": CredentialField(
        name="choice", title="Choice", kind=FieldKind.CHOICE, choices=("a", "b"), default="a"
    ),
    "code": CredentialField(name="code", title="Code", pattern="[a-z]{3}", required=False),
    "file": CredentialField(name="file", title="File", kind=FieldKind.JSON, secret=True, required=False),
    "key": CredentialField(
        name="key", title="Key", kind=FieldKind.PASSWORD, secret=True, max_length=64, required=False
    ),
}
CARD = ProviderCard(
    name=ProviderName.OPEN_INFERENCE,
    title="A provider",
    description="with a field of each kind",
    documentation="https://docs.example",
    abilities=(),
    fields=tuple(KINDS.values()),
    one_of=(("key",), ("file",)),
    limits=Limits(max_bytes=1, max_side=1, concurrency=1, timeout_s=1),
    prices=(),
)


def said(card: ProviderCard, settings: dict[str, str], secrets: dict[str, str]) -> str:
    """All that the refusal says; nothing where the fields fit."""
    try:
        fit(card, settings, secrets)
    except FieldInvalid as error:
        return f"{error!r} {error.detail} {error.field} {error.__context__!r}"
    return ""


def refusal(settings: dict[str, str], secrets: dict[str, str]) -> FieldInvalid:
    with pytest.raises(FieldInvalid) as refused:
        fit(CARD, settings, secrets)
    return refused.value


@given(VISIBLE)
def test_a_key_of_visible_characters_fits_and_is_left_as_it_is(key: str) -> None:
    """Nothing is trimmed or changed."""
    assert fit(CARD, {}, {"key": key}).secrets == {"key": key}


@given(VISIBLE, st.characters().filter(lambda c: not "!" <= c <= "~"))
def test_a_key_with_anything_else_in_it_is_refused(key: str, odd: str) -> None:
    """It could not travel in a header, or would end it."""
    assert refusal({}, {"key": key + odd}).field == "key"


@given(ANYTHING, ANYTHING)
def test_whatever_is_given_it_fits_or_is_refused_without_a_word_of_it(
    settings: dict[str, str], secrets: dict[str, str]
) -> None:
    """For every card that there is."""
    mark = planted()
    marked = [{f"{k}": f"{mark}{v}" for k, v in given.items()} for given in (settings, secrets)]
    named = [{f"{mark}{k}": v for k, v in given.items()} for given in (settings, secrets)]
    for card in (CARD, *cards()):
        for public, hidden in (marked, named):
            assert mark not in said(card, public, hidden)


@given(st.sampled_from(sorted(KINDS)), st.text(max_size=80))
def test_any_value_of_any_kind_is_judged_without_breaking(name: str, value: str) -> None:
    """Odd Unicode and half a URL are refused, not tripped over."""
    given = {name: value}
    public, hidden = ({}, given) if KINDS[name].secret else (given, {"key": "k"})
    with suppress(FieldInvalid):
        fitted = fit(CARD, public, hidden)
        assert {**fitted.settings, **fitted.secrets}.get(name, "") in (value, KINDS[name].default or "")


def test_defaults_are_filled_in_and_empty_fields_left_out() -> None:
    """So that a form may send all of its fields."""
    fitted = fit(CARD, {"text": "", "code": ""}, {"key": "k", "file": ""})
    assert (fitted.settings, fitted.secrets) == ({"choice": "a"}, {"key": "k"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("choice", "c"),
        ("code", "ABC"),
        ("code", "abcd"),
        ("text", "two\nlines"),
        ("url", "gpu.example"),
        ("url", "https://"),
        ("url", "https://gpu.example:port"),
        ("url", "https://[gpu.example"),
        ("url", "https://user:password@gpu.example"),
        ("url", "https://gpu.example/?token=abc"),
        ("url", "https://gpu.example/#abc"),
        ("url", "https://gpu.example/a b"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(name: str, value: str) -> None:
    """A URL that carries a secret of its own, too: it is shown to everybody."""
    assert refusal({name: value}, {"key": "k"}).field == name


@pytest.mark.parametrize("value", ["{", "[]", "1", '"text"', "{" * 50_000])
def test_a_file_that_is_no_json_object_is_refused(value: str) -> None:
    """Also one that is nested beyond what a parser takes."""
    long = CARD.model_copy(update={"fields": (KINDS["file"].model_copy(update={"max_length": 16_384}),)})
    with pytest.raises(FieldInvalid) as refused:
        fit(long, {}, {"file": value[:16_000]})
    assert refused.value.field == "file"


def test_one_complete_way_is_enough_and_none_is_too_little() -> None:
    """Any of the ways that the card knows."""
    assert fit(CARD, {}, {"file": json.dumps({"a": 1})}).secrets
    assert "key or file" in refusal({}, {}).detail


def test_a_provider_that_needs_no_credential_takes_none() -> None:
    """The platform's own GPUs are nobody's account."""
    onnx = next(card for card in cards() if card.name is ProviderName.ONNX)
    with pytest.raises(FieldInvalid):
        fit(onnx, {}, {})


def test_secrets_are_not_in_the_repr() -> None:
    """A log line that prints the fields shows the settings alone."""
    secret = planted()
    assert secret not in repr(fit(CARD, {}, {"key": secret}))
