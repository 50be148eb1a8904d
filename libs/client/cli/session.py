"""What every command has at hand: the client, the way of answering, and what an error means to the shell.

What takes long to import is imported where it is used: `--help` and wrong usage are answered at once.
"""

from __future__ import annotations

import json as jsonlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import typer

from libs.client import errors

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from libs.client.sync import Mannequin


class Exit(IntEnum):
    """Exit statuses; scripts rely on them."""

    OK = 0
    SOME_FAILED = 1
    USAGE = 2
    UNAUTHORIZED = 3
    NOT_FOUND = 4
    UNREACHABLE = 5
    REFUSED = 6
    INTERRUPTED = 130


_STATUS_OF: tuple[tuple[type[Exception], Exit], ...] = (
    (errors.Unauthorized, Exit.UNAUTHORIZED),
    (errors.NotFound, Exit.NOT_FOUND),
    (errors.ConnectionFailed, Exit.UNREACHABLE),
    (errors.UnexpectedAnswer, Exit.UNREACHABLE),
    (errors.Unavailable, Exit.UNREACHABLE),
    (errors.RateLimited, Exit.UNREACHABLE),
    (errors.Misconfigured, Exit.USAGE),
    (errors.NothingToSend, Exit.USAGE),
    (errors.MannequinError, Exit.REFUSED),
    (OSError, Exit.USAGE),
)
_TOLD = tuple(kind for kind, _ in _STATUS_OF)
_WIDE = 200
"""Columns of a table that goes into a file or a pipe."""


class Session:
    """One run of the command line. `json`: the answer goes to standard output as JSON.

    Whatever is not the answer (progress, notes, errors) goes to standard error.
    """

    def __init__(self, api_url: str | None = None, api_key: str | None = None, *, json: bool = False) -> None:
        self._api_url = api_url
        self._api_key = api_key
        self.json = json

    @contextmanager
    def client(self) -> Iterator[Mannequin]:
        """The client; what goes wrong ends the program with its status and a line that says what to do."""
        if not self._api_key:
            raise self.fail("An API key is needed: --api-key, or set MANNEQUIN_API_KEY.", Exit.UNAUTHORIZED)
        from libs.client.sync import Mannequin

        try:
            with Mannequin(self._api_key, self._api_url) as client:
                yield client
        except BrokenPipeError:  # whoever read the answer has enough of it
            raise
        except _TOLD as error:
            status = next(status for kind, status in _STATUS_OF if isinstance(error, kind))
            raise self.fail(str(error), status, getattr(error, "code", None)) from None

    def fail(self, reason: str, status: Exit, code: str | None = None) -> typer.Exit:
        """Says why the program ends; to be raised."""
        if self.json:
            told = {"error": {"code": code or status.name.lower(), "detail": reason}}
            typer.echo(jsonlib.dumps(told, ensure_ascii=False), err=True)
        else:
            typer.secho(reason, fg="red", err=True)
        return typer.Exit(status)

    def note(self, line: str) -> None:
        """Something to know that is not the answer."""
        typer.echo(line, err=True)

    def answer(self, value: Any, lines: str | RenderableType) -> None:
        """Print `value` as JSON if that was asked for, else `lines` for a person."""
        if self.json:
            typer.echo(jsonlib.dumps(_plain(value), indent=1, ensure_ascii=False))
        elif isinstance(lines, str):
            typer.echo(lines)
        else:
            _console(sys.stdout).print(lines)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], title: str | None = None) -> Table:
    """A table of texts, coloured if they are; what looks like markup in a file name stays as it is."""
    from rich.table import Table
    from rich.text import Text

    made = Table(*columns, title=Text(title) if title else None, show_header=any(columns))
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(_cell(cell)) for cell in row))
    return made


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def when(moment: Any) -> str:
    """A time, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def session(context: typer.Context) -> Session:
    """The session of the command that runs."""
    found = context.obj
    assert isinstance(found, Session)
    return found


def _console(stream: Any) -> Console:
    from rich.console import Console

    return Console(file=stream, width=None if stream.isatty() else _WIDE)


def _plain(value: Any) -> Any:
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
