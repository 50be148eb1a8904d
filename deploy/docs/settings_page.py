"""Every setting of every service, as its class knows it."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator

from pydantic import AliasChoices, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from libs.common.db.migrate import SERVICES

_HEAD = """# Settings

Everything comes from the environment, is checked at start and never changes afterwards. No secret has a
default, and a setting that is missing or wrong refuses to start with its name. `MANNEQUIN_…` are shared by
all services.

`MANNEQUIN_ENV` is `production` where nobody says otherwise: then every connection that leaves the machine
has to be encrypted. An authority of your own is named by `SSL_CERT_FILE`, and for PostgreSQL by
`sslrootcert` in its URL.
"""
_FIELD = re.compile(r"^([a-z][a-z_, ]+):", re.MULTILINE)


def settings_page() -> str:
    """A chapter a service."""
    return "\n".join([_HEAD, *(_chapter(service) for service in SERVICES)])


def _chapter(service: str) -> str:
    module = importlib.import_module(f"services.{service}.settings")
    classes = [
        found
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, BaseSettings) and found.__module__ == module.__name__
    ]
    lines = [f"## {service}", ""]
    for settings in classes:
        if settings.__doc__:
            lines += [_FIELD.sub(r"\n- `\1`:", inspect.cleandoc(settings.__doc__)), ""]
        lines += ["| setting | kind | default |", "| --- | --- | --- |", *_rows(settings), ""]
    return "\n".join(lines)


def _rows(settings: type[BaseSettings]) -> Iterator[str]:
    prefix = str(settings.model_config.get("env_prefix", ""))
    for name, field in settings.model_fields.items():
        yield f"| `{_variable(prefix, name, field)}` | {_kind(field)} | {_default(field)} |"


def _variable(prefix: str, name: str, field: FieldInfo) -> str:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return str(alias.choices[0])
    return alias if isinstance(alias, str) else f"{prefix}{name}".upper()


def _kind(field: FieldInfo) -> str:
    if field.annotation is SecretStr:
        return "secret"
    annotation = field.annotation
    shown = annotation.__name__ if inspect.isclass(annotation) else str(annotation)
    return shown.replace("|", "or").replace("pathlib._local.", "").replace("pathlib.", "")


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "*required*" if field.default_factory is None else ""
    return "" if field.default is None else f"`{field.default}`"
