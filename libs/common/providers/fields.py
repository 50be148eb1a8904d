"""Whether the fields of a credential fit its provider's card: the form, the API and the vault ask the same.

No error repeats a value, nor a name that the card does not know: people paste secrets into the wrong place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from libs.common.contracts.providers import CredentialField, FieldKind, ProviderCard
from libs.common.errors import Invalid


class FieldInvalid(Invalid):
    """A field of the credential does not fit its provider. `field` is its name on the card, if it has one."""

    default_code = "credential_field_invalid"


@dataclass(frozen=True)
class Fields:
    """What a credential consists of: `settings` may be shown, `secrets` may not."""

    settings: Mapping[str, str]
    secrets: Mapping[str, str] = field(repr=False)


def fit(card: ProviderCard, settings: Mapping[str, str], secrets: Mapping[str, str]) -> Fields:
    """The fields with the card's defaults, without the empty ones. FieldInvalid for the first wrong one."""
    public = _chosen([one for one in card.fields if not one.secret], settings, "settings")
    hidden = _chosen([one for one in card.fields if one.secret], secrets, "secret fields")
    if not card.fields:
        raise FieldInvalid(f"{card.title} needs no credential")
    _complete(card, hidden)
    return Fields(public, hidden)


def _chosen(known: Iterable[CredentialField], given: Mapping[str, str], what: str) -> dict[str, str]:
    fields = {one.name: one for one in known}
    if not given.keys() <= fields.keys():
        names = ", ".join(fields) or "none"
        raise FieldInvalid(
            f"there is a name among the {what} that the provider does not know; it has: {names}"
        )
    values = {name: given.get(name) or one.default or "" for name, one in fields.items()}
    for name, value in values.items():
        _check(fields[name], value)
    return {name: value for name, value in values.items() if value}


def _check(one: CredentialField, value: str) -> None:
    if not value and one.required:
        raise FieldInvalid(f"{one.title} is missing", field=one.name)
    if value and (wrong := _wrong(one, value)):
        raise FieldInvalid(f"{one.title} {wrong}", field=one.name)


def _wrong(one: CredentialField, value: str) -> str | None:
    """What is wrong with a value, in words that say nothing of it."""
    if len(value) > one.max_length:
        return f"is longer than {one.max_length} characters"
    if one.pattern is not None and not re.fullmatch(one.pattern, value):
        return "is not of the form that the provider's card asks for"
    return _WRONG_OF_KIND[one.kind](one, value)


def _wrong_text(_: CredentialField, value: str) -> str | None:
    return None if value.isprintable() else "holds a line break or another control character"


def _wrong_password(_: CredentialField, value: str) -> str | None:
    """It travels in a header, which takes nothing else."""
    visible = value.isascii() and value.isprintable() and " " not in value
    return None if visible else "may hold visible ASCII characters only, without spaces"


def _wrong_url(_: CredentialField, value: str) -> str | None:
    try:
        url = urlsplit(value)
        url.port  # noqa: B018  # parsed when it is read
    except ValueError:
        return "is not a URL"
    if not url.scheme or not url.hostname or not value.isprintable() or " " in value:
        return "is not a URL"
    if "@" in url.netloc or url.query or url.fragment:
        return "may hold no user name, password, query or fragment: it is no secret"
    return None


def _wrong_json(_: CredentialField, value: str) -> str | None:
    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return "is not JSON"
    return None if isinstance(parsed, dict) else "is not a JSON object"


def _wrong_choice(one: CredentialField, value: str) -> str | None:
    return None if value in one.choices else f"is none of {', '.join(one.choices)}"


_WRONG_OF_KIND: dict[FieldKind, Callable[[CredentialField, str], str | None]] = {
    FieldKind.TEXT: _wrong_text,
    FieldKind.PASSWORD: _wrong_password,
    FieldKind.URL: _wrong_url,
    FieldKind.JSON: _wrong_json,
    FieldKind.CHOICE: _wrong_choice,
}


def _complete(card: ProviderCard, secrets: Mapping[str, str]) -> None:
    if not card.one_of or any(all(name in secrets for name in names) for names in card.one_of):
        return
    ways = " or ".join(" with ".join(names) for names in card.one_of)
    raise FieldInvalid(f"the secret is not complete: it takes {ways}", field=card.one_of[0][0])
