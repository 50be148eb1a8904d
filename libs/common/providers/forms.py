"""The form of a credential, as a JSON Schema (https://json-schema.org/draft/2020-12) made from its card.

What it says is what `fields.py` checks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from libs.common.contracts.providers import CredentialField, FieldKind, ProviderCard


def form(card: ProviderCard) -> dict[str, Any] | None:
    """The schema of what a new credential of this provider says; None where it has none."""
    if not any(field.secret for field in card.fields):
        return None
    settings = _object([field for field in card.fields if not field.secret])
    secret = _object([field for field in card.fields if field.secret])
    if card.one_of:
        secret["anyOf"] = [{"required": list(group)} for group in card.one_of]
    needed = ["settings"] if "required" in settings else []
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": card.title,
        "description": card.description,
        "type": "object",
        "required": ["provider", "label", *needed, "secret"],
        "properties": {
            "provider": {"const": card.name.value},
            "label": {"type": "string", "title": "Label", "minLength": 1, "maxLength": 100},
            "settings": settings,
            "secret": secret,
        },
    }


def _object(fields: Iterable[CredentialField]) -> dict[str, Any]:
    listed = list(fields)
    made: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: _property(field) for field in listed},
    }
    required = [field.name for field in listed if field.required and not field.default]
    return made | ({"required": required} if required else {})


def _property(field: CredentialField) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "string", "title": field.title, "maxLength": field.max_length}
    if field.help:
        made["description"] = field.help
    if field.required:
        made["minLength"] = 1
    if field.pattern:
        made["pattern"] = f"^(?:{field.pattern})$" if field.required else f"^(?:{field.pattern})?$"
    if field.choices:
        made["enum"] = list(field.choices)
    if field.default:
        made["default"] = field.default
    return made | _hints(field)


def _hints(field: CredentialField) -> dict[str, Any]:
    """How to ask for it: browsers hide passwords, and nobody ever reads a secret back."""
    kinds: dict[FieldKind, dict[str, Any]] = {
        FieldKind.URL: {"format": "uri"},
        FieldKind.PASSWORD: {"format": "password"},
        FieldKind.JSON: {"contentMediaType": "application/json"},
    }
    return kinds.get(field.kind, {}) | ({"writeOnly": True} if field.secret else {})
