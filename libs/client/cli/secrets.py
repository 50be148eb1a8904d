"""Where a command gets secrets from: a file, standard input or a prompt, and never its arguments.

Arguments are in the history of the shell, and every user of the machine sees them in the list of processes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from libs.client.byok.models import CredentialField, CredentialProvider

Files = Annotated[
    list[str] | None,
    typer.Option(
        "--secret-file",
        metavar="[FIELD=]PATH",
        help="Read a secret field from a file; - is standard input. FIELD may be left out if there is one.",
    ),
]
Prompts = Annotated[
    list[str] | None,
    typer.Option("--secret-prompt", metavar="FIELD", help="Ask for a secret field, without an echo."),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="A field that is no secret."),
]
_STDIN = "-"


def gathered(
    provider: CredentialProvider, files: Sequence[str] | None, prompts: Sequence[str] | None
) -> dict[str, str]:
    """The secret fields from where they were said to be; asked for, on a terminal, if that was not said."""
    fields = {field.name: field for field in provider.fields if field.secret}
    secret = dict(_from_file(fields, given) for given in files or ())
    for name in prompts or () if secret or prompts else _to_ask(provider, fields):
        secret[name] = _asked(_known(fields, name, "--secret-prompt"))
    return secret


def settings(provider: CredentialProvider, sets: Sequence[str] | None) -> dict[str, str]:
    """The fields of `--set`; a secret among them is refused."""
    secret = {field.name for field in provider.fields if field.secret}
    found: dict[str, str] = {}
    for given in sets or ():
        name, equals, value = given.partition("=")
        if not (name and equals):
            raise typer.BadParameter("give FIELD=VALUE", param_hint="--set")
        if name in secret:
            raise typer.BadParameter(
                f"{name} is secret: give it by --secret-file or --secret-prompt. If that was the real one, "
                "make another at the provider: it is in your shell's history now.",
                param_hint="--set",
            )
        found[name] = value
    return found


def _from_file(fields: dict[str, CredentialField], given: str) -> tuple[str, str]:
    name, equals, path = given.partition("=")
    if not equals or name not in fields:
        name, path = _only(fields), given
    return name, (sys.stdin.read() if path == _STDIN else Path(path).read_text(encoding="utf-8")).strip()


def _only(fields: dict[str, CredentialField]) -> str:
    if len(fields) != 1:
        raise typer.BadParameter(f"say which: {', '.join(fields)}", param_hint="--secret-file")
    return next(iter(fields))


def _known(fields: dict[str, CredentialField], name: str, option: str) -> CredentialField:
    if name not in fields:
        raise typer.BadParameter(
            f"there is no such secret field; take {', '.join(fields)}", param_hint=option
        )
    return fields[name]


def _to_ask(provider: CredentialProvider, fields: dict[str, CredentialField]) -> Sequence[str]:
    if not sys.stdin.isatty():
        raise typer.BadParameter(
            f"say where the secret is: {', '.join(fields)}", param_hint="--secret-file, --secret-prompt"
        )
    if len(provider.one_of) < 2:
        return provider.one_of[0] if provider.one_of else [f.name for f in fields.values() if f.required]
    for number, group in enumerate(provider.one_of, 1):
        typer.echo(f"{number}  {' and '.join(fields[name].title for name in group)}", err=True)
    numbers = typer.prompt("Which of these", type=int, default=1, err=True)
    return provider.one_of[max(1, min(numbers, len(provider.one_of))) - 1]


def _asked(field: CredentialField) -> str:
    answer: str = typer.prompt(field.title, hide_input=True, err=True)
    return answer.strip()
