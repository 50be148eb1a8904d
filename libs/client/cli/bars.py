"""Progress bars, on standard error; none where it is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.progress import Progress

    from libs.client.models import Event


@contextmanager
def bytes_bar(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar of bytes; gives what is to be called with the bytes that went by."""
    from rich import progress

    columns = (progress.DownloadColumn(), progress.TransferSpeedColumn(), progress.TimeRemainingColumn())
    with _bars(*columns) as bars:
        task = bars.add_task(what, total=total)
        yield lambda size: bars.advance(task, size)


@contextmanager
def file_bar(what: str) -> Iterator[Callable[[Path], None]]:
    """A count of files; gives what is to be called with each."""
    from rich import progress

    with _bars(progress.TextColumn("{task.completed:.0f} files")) as bars:
        task = bars.add_task(what, total=None)
        yield lambda _: bars.advance(task)


@contextmanager
def count_bar(what: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """A bar of images; gives what is to be called after each."""
    with _counting() as bars:
        task = bars.add_task(what, total=total)
        yield lambda: bars.advance(task)


@contextmanager
def batch_bar(what: str) -> Iterator[Callable[[Event], None]]:
    """A bar of a batch's images; gives what is to be called with the batch's events."""
    from libs.client.models import Batch

    with _counting() as bars:
        task = bars.add_task(what, total=None)

        def show(event: Event) -> None:
            if event.kind in ("progress", "batch"):
                counts = Batch.model_validate(event.data).counts
                bars.update(task, total=counts.total or None, completed=counts.ended)

        yield show


def _counting() -> Progress:
    from rich import progress

    return _bars(progress.MofNCompleteColumn(), progress.TimeElapsedColumn())


def _bars(*columns: Any) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    console = Console(stderr=True)
    name = TextColumn("{task.description:11}")
    return Progress(name, BarColumn(), *columns, console=console, disable=not sys.stderr.isatty())
