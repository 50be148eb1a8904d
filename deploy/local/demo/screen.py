"""What the demonstration shows on the terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

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
from deploy.operator.scan import Findings
from libs.client.byok.models import Credential, Savings, Usage, UsageRow
from libs.client.models import Batch, Event, Image
from libs.common.contracts.erasure import Erasure

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

    def own_key(self) -> None:
        """The title of the second act."""
        self.console.print()
        self.console.rule("a tenant brings its own key", style="dim")

    def stored_key(self, credential: Credential) -> None:
        health = credential.health.state
        colour = "green" if health == "healthy" else "red"
        self.console.print(
            f"key …{credential.last_four} of [bold]{credential.provider}[/] stored: [{colour}]{health}[/]"
        )
        self.console.print("policy [bold]byok_then_platform[/]; the key is revoked half-way", style="dim")

    def failed_key(self, told: Mapping[str, Any]) -> None:
        """What the webhook said of the key."""
        if told:
            health = told["data"]["credential"]["health"]
            self.console.print(f"webhook [bold]{told['type']}[/] received, its signature verifies:")
            self.console.print(f"  {health['code']}: {health['detail']}", markup=False)
            self.console.print(f"  {health['advice']}", markup=False)

    def charges(self, usage: Usage, savings: Savings) -> None:
        """Who paid for what, and the sum."""
        table = Table("payer", "provider", "images", "compute s", "cost USD", show_footer=True)
        for row in usage.rows:
            table.add_row(str(row.payer), str(row.provider), *_figures(row))
        for column, text in zip(table.columns, ("total", "", *_figures(usage.total)), strict=True):
            column.footer = text
        for column in table.columns[2:]:
            column.justify = "right"
        self.console.print(table)
        if savings.total.moved_share is not None:
            self.console.print(
                f"{savings.total.moved_share:.0%} of the platform's cost moved to the tenant's own account"
            )

    def own_brand(self) -> None:
        """The title of the third act."""
        self.console.print()
        self.console.rule("a tenant under its own brand", style="dim")

    def signed_in(self, name: str, role: str) -> None:
        self.console.print(f"[bold]{name}[/] accepted the invitation and signed in by password, as {role}")

    def branded(self, name: str, url: str) -> None:
        self.console.print(f"brand [bold]{name}[/] with its colours and logo at {url}")

    def worn(self, image: Image) -> None:
        """The on-model image, and what is thought of it."""
        verdict = image.verdict or image.status
        colour = _COLOURS.get(verdict, "red")
        self.console.print(f"a garment on the tenant's own human model: [{colour}]{verdict}[/]")

    def erased(self, erasure: Erasure, found: Findings) -> None:
        """What the certificate says, and what a search for the tenant found."""
        statement = json.loads(erasure.statement or "{}")
        removed = sum(sum(part.values()) for part in statement.get("removed", {}).values())
        self.console.print(f"its owner had it erased: {removed:,} rows, objects and keys; {erasure.id}")
        table = Table("searched for the tenant", "found")
        for place, where in found.items():
            table.add_row(place, str(sum(where.values())))
        self.console.print(table)

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


def _figures(row: UsageRow) -> tuple[str, str, str]:
    return str(row.images), f"{row.compute_seconds:.2f}", f"{row.cost:.6f}"
