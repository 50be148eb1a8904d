"""The form of API keys."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.api_keys import ParsedKey, generate, parse
from libs.common.contracts.tenants import KeyMode


@pytest.mark.parametrize("mode", KeyMode)
def test_a_generated_key_parses_to_its_parts(mode: KeyMode) -> None:
    """Mode and public id can be read off; the hash is of the whole key."""
    key = generate(mode)
    text = key.secret.get_secret_value()
    assert parse(text) == ParsedKey(mode, key.public_id, hashlib.sha256(text.encode()).hexdigest())
    assert text.startswith(f"im_{mode.value}_{key.public_id}")


@given(place=st.integers(8, 55), replacement=st.sampled_from("0aZ"))
def test_a_mistyped_character_is_noticed(place: int, replacement: str) -> None:
    """Without asking any table."""
    text = generate(KeyMode.LIVE).secret.get_secret_value()
    mistyped = text[:place] + replacement + text[place + 1 :]
    assert mistyped == text or parse(mistyped) is None


@given(st.text())
def test_anything_else_is_no_key(text: str) -> None:
    """Whatever stands in the header."""
    assert parse(text) is None


def test_a_key_shows_itself_in_no_repr() -> None:
    """Logs and tracebacks print reprs."""
    key = generate(KeyMode.TEST)
    assert key.secret.get_secret_value() not in f"{key!r} {key}"
