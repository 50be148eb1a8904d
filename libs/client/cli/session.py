"""What every command has at hand: the client, the way of answering, and what an error means to the shell."""

from __future__ import annotations

import json as jsonlib
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from libs.client import errors
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
    (errors.Unavailable, Exit.UNREACHABLE),
    (errors.MannequinError, Exit.REFUSED),
    (OSError, Exit.USAGE),
)


class Session:
    """One run of the command line. `json`: results go to standard output as JSON, the rest to error."""

    def __init__(self, api_url: str | None, api_key: str | None, *, json: bool) -> None:
        self._api_url = api_url
        self._api_key = api_key
        self.json = json
        self.out = Console()
        self.err = Console(stderr=True)

    @contextmanager
    def client(self) -> Iterator[Mannequin]:
        """The client; errors of the API end the program with their status and a line that says what to do."""
        if not self._api_key:
            self.err.print("An API key is needed: --api-key, or set MANNEQUIN_API_KEY.", style="red")
            raise typer.Exit(Exit.UNAUTHORIZED)
        try:
            with Mannequin(self._api_key, self._api_url) as client:
                yield client
        except KeyboardInterrupt:
            raise typer.Exit(Exit.INTERRUPTED) from None
        except tuple(kind for kind, _ in _STATUS_OF) as error:
            self.err.print(str(error), style="red", markup=False, highlight=False)
            status = next(status for kind, status in _STATUS_OF if isinstance(error, kind))
            raise typer.Exit(status) from None

    def answer(self, value: Any, lines: Any) -> None:
        """Print `value` as JSON if that was asked for, else `lines` for a person."""
        if self.json:
            typer.echo(jsonlib.dumps(_plain(value), indent=1, ensure_ascii=False))
        else:
            self.out.print(lines)

    def progress(self) -> Progress:
        """A progress bar on standard error, which disappears where nobody looks."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self.err,
            disable=not self.err.is_terminal,
        )


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def session(context: typer.Context) -> Session:
    """The session of the command that runs."""
    found = context.obj
    assert isinstance(found, Session)
    return found
