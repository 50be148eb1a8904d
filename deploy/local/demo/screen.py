"""What the demonstration shows on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from deploy.local.demo.account import Account
from deploy.local.environment import Addresses
from libs.client.models import Batch, Event, Image

_ROWS = 100
_COLOURS = {"publishable": "green", "review": "yellow", "rejected": "red"}


@dataclass(frozen=True)
class Screen:
    """The terminal."""

    console: Console

    @contextmanager
    def uploading(self, total: int) -> Iterator[Callable[[int], None]]:
        """A bar of bytes; gives what is to be called with the bytes that went by."""
        with self._bars(DownloadColumn()) as bars:
            task = bars.add_task("uploading", total=total)
            yield lambda size: bars.advance(task, size)

    @contextmanager
    def rendering(self) -> Iterator[Callable[[Event], None]]:
        """A bar of images; gives what is to be called with the batch's events."""
        with self._bars(MofNCompleteColumn()) as bars:
            task = bars.add_task("rendering", total=None)

            def show(event: Event) -> None:
                if event.kind in ("progress", "batch"):
                    counts = Batch.model_validate(event.data).counts
                    bars.update(task, total=counts.total or None, completed=counts.ended)

            yield show

    def table(self, images: Sequence[Image]) -> None:
        """File, verdict and milliseconds of each image."""
        table = Table("file", "verdict", "ms")
        for image in images[:_ROWS]:
            verdict = image.verdict or image.status
            shown = Text(verdict, style=_COLOURS.get(verdict, "red"))
            if image.reason:
                shown.append(f" {image.reason}", style="dim")
            table.add_row(Text(image.name), shown, str(image.render_ms or ""))
        self.console.print(table)
        if len(images) > _ROWS:
            self.console.print(f"… and {len(images) - _ROWS} more, in manifest.json")

    def faults(self, faults: Sequence[str]) -> None:
        for fault in faults:
            self.console.print(f"- {fault}", style="red", markup=False, highlight=False)

    def explain(self, addresses: Addresses, account: Account) -> None:
        """Where the system is, and what to try next."""
        url, key = addresses.api_url, account.key.get_secret_value()
        for line in (
            "",
            f"API      {url}   (documentation: {url}/docs)",
            f"API key  {key}",
            "",
            "Try it:",
            f"  export MANNEQUIN_API_URL={url} MANNEQUIN_API_KEY={key}",
            '  curl -H "Authorization: Bearer $MANNEQUIN_API_KEY" -F file=@photo.jpg'
            " $MANNEQUIN_API_URL/api/v1/images -o result.png",
            "  .venv/bin/mannequin render photo.jpg -o out/mine",
            "  .venv/bin/mannequin batch photos/ -o out/mine",
            "",
        ):
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _bars(self, column: ProgressColumn) -> Progress:
        name = TextColumn("{task.description:9}")
        return Progress(name, BarColumn(), column, TimeElapsedColumn(), console=self.console)
