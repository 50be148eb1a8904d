"""The options of a render as they come: one by one in the query, or as JSON in the form's `options` part."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import Field, JsonValue, ValidationError

from libs.common.contracts.batch import INSIDE_PATTERN, InsidePattern
from libs.common.contracts.options import OptionFields, RenderOptions
from libs.common.errors import Invalid

Options = TypeVar("Options", bound=RenderOptions)
_JSON: dict[str, JsonValue] = {"contentMediaType": "application/json"}
_WORD = re.compile(r"[a-z_]+")


class RenderQuery(OptionFields):
    """Options in the query; those that have parts are JSON, as they are in a form."""

    renditions: str | None = Field(
        None,
        max_length=4_000,
        description="Further pictures of the same render, as JSON: a list of objects, each with a `name` and "
        "any of the options of a picture.",
        examples=[
            '[{"name": "thumb", "size": 400, "format": "webp"}, {"name": "amazon", "preset": "amazon"}]'
        ],
        json_schema_extra=_JSON,
    )
    own_preset: str | None = Field(
        None,
        max_length=2_000,
        description="Requirements of a shop of your own, as JSON.",
        examples=['{"background": "#ffffff", "aspect": "3:4", "min_size": 1200, "fill": 0.9}'],
        json_schema_extra=_JSON,
    )
    template: str | None = Field(
        None,
        max_length=2_000,
        description="Where garments stand in the picture with `align=catalogue`, as JSON.",
        examples=['{"aspect": "4:5", "border": 0.04}'],
        json_schema_extra=_JSON,
    )


JSON_OPTIONS = frozenset(RenderQuery.model_fields) - frozenset(OptionFields.model_fields)
"""Options of the query whose values are JSON."""


class BatchQuery(RenderQuery):
    """Options of a batch in the query."""

    inside_pattern: InsidePattern = INSIDE_PATTERN


def merged_options(query: OptionFields, part: Mapping[str, Any], kind: type[Options]) -> Options:
    """Options from the query and from the `options` part, which must fit together as a whole.

    Invalid if one is in both; RequestValidationError if one does not fit.
    """
    given = _given(query, kind)
    if twice := sorted(set(given) & set(part)):
        raise Invalid("The option is in the query and in the options part; give it once.", field=twice[0])
    try:
        return kind.model_validate({**given, **part})
    except ValidationError as error:
        found = [_placed(dict(one), part, kind) for one in error.errors(include_url=False)]
        raise RequestValidationError(found) from None


def _given(query: OptionFields, kind: type[RenderOptions]) -> dict[str, Any]:
    names = query.model_fields_set & set(kind.model_fields)
    given = query.model_dump(mode="json", include=names)
    return {name: _parsed(name, value) if name in JSON_OPTIONS else value for name, value in given.items()}


def _parsed(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        raise Invalid("The value is not valid JSON.", field=name) from None


def _placed(error: dict[str, Any], part: Mapping[str, Any], kind: type[RenderOptions]) -> dict[str, Any]:
    """The error with the place of the option: in the form's part or in the query."""
    place = tuple(error["loc"])
    if error["type"] == "value_error":
        place += _blamed(str(error["msg"]), kind)
    inside = place[0] in part if place else bool(part)
    return {**error, "loc": (*(("body", "options") if inside else ("query",)), *place)}


def _blamed(message: str, kind: type[RenderOptions]) -> tuple[str, ...]:
    """What is wrong with several options is told of the one that the message names first."""
    words = _WORD.findall(message.removeprefix("Value error, "))
    return next(((word,) for word in words if word in kind.model_fields), ())
