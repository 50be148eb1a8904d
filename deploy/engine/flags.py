"""The options of a render as command-line options, made from their one definition: none can be missing."""

from __future__ import annotations

import inspect
import json
import types
from collections.abc import Callable, Mapping
from enum import Enum
from functools import wraps
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from libs.common.contracts.options import RenderOptions

_PANEL = "Options of the render"
_PLAIN = (bool, int, float, str)


def with_render_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command a flag for every field of RenderOptions, and their value as `options`.

    Values that don't fit, alone or together, are wrong usage and named.
    """
    signature = inspect.signature(command, eval_str=True)
    own = [parameter for name, parameter in signature.parameters.items() if name != "options"]

    @wraps(command)
    def run(**given: Any) -> None:
        asked = {name: given.pop(name) for name in RenderOptions.model_fields}
        command(options=parsed(asked), **given)

    run.__signature__ = signature.replace(parameters=[*own, *_flags()])  # type: ignore[attr-defined]
    run.__annotations__ = {}
    return run


def parsed(given: Mapping[str, Any]) -> RenderOptions:
    """The options that were given; the others have their defaults. typer.BadParameter if they don't fit."""
    asked = {name: _value(name, value) for name, value in given.items() if value is not None}
    try:
        return RenderOptions.model_validate(asked)
    except ValidationError as error:
        raise typer.BadParameter("; ".join(_told(wrong) for wrong in error.errors())) from None


def _told(wrong: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in wrong["loc"])
    return f"--{place.replace('_', '-')}: {wrong['msg']}" if place else str(wrong["msg"])


def _value(name: str, value: Any) -> Any:
    """What is no plain value on the command line is JSON, as in the API."""
    if not isinstance(value, str) or not value.startswith(("[", "{")):
        return value
    try:
        return json.loads(value)
    except ValueError as error:
        raise typer.BadParameter(f"--{name}: this is no JSON: {error}") from None


def _flags() -> list[inspect.Parameter]:
    keyword = inspect.Parameter.KEYWORD_ONLY
    return [
        inspect.Parameter(name, keyword, default=None, annotation=_annotation(field))
        for name, field in RenderOptions.model_fields.items()
    ]


def _annotation(field: FieldInfo) -> Any:
    kind = _kind(field.annotation)
    option = typer.Option(help=_help(field), rich_help_panel=_PANEL, **_limits(field, kind))
    return Annotated[kind | None, option]


def _kind(annotation: Any) -> Any:
    """The type of a field's value on a command line."""
    if get_origin(annotation) is Annotated:
        return _kind(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [_kind(part) for part in get_args(annotation) if part is not type(None)]
        return kinds[0] if len(kinds) == 1 else str
    plain = isinstance(annotation, type) and (annotation in _PLAIN or issubclass(annotation, Enum))
    return annotation if plain else str


def _help(field: FieldInfo) -> str:
    """With the default in words: an option that is not given must stay so, as a preset may set it."""
    default = field.default.value if isinstance(field.default, Enum) else field.default
    if default in (None, ()):
        return field.description or ""
    shown = {True: "yes", False: "no"}[default] if isinstance(default, bool) else default
    return f"{field.description} Default: {shown}."


def _limits(field: FieldInfo, kind: Any) -> dict[str, Any]:
    if kind not in (int, float):
        return {}
    return {
        limit: getattr(rule, bound)
        for rule in field.metadata
        for limit, bound in (("min", "ge"), ("max", "le"))
        if hasattr(rule, bound)
    }
