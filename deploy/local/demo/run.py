"""The demonstration: start everything, send a batch, receive its webhook, look at what came."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from deploy.local.demo.account import Account, kept_account
from deploy.local.demo.contact_sheet import Pair, write_contact_sheet
from deploy.local.demo.receiver import Receiver, receiver
from deploy.local.demo.sample import as_archive
from deploy.local.environment import Addresses
from deploy.local.errors import LocalError
from deploy.local.state import State
from deploy.local.supervisor import Bus, Supervisor
from libs.client import AsyncMannequin, verify_webhook
from libs.client.errors import MannequinError
from libs.client.models import Batch, Event, Image

OUT = Path("out")
_WEBHOOK_WITHIN_S = 30.0
_COLOURS = {"publishable": "green", "review": "yellow", "rejected": "red"}


class DemoFailed(LocalError):
    """The demonstration did not show what it should."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("The demonstration failed:\n" + "\n".join(f"- {reason}" for reason in reasons))


async def demonstrate(state: State, bus: Bus, photos: Path | None, *, once: bool, console: Console) -> None:
    """All of it; DemoFailed names everything that was not as it should be. Stays up unless `once`."""
    began = time.monotonic()
    drawing = asyncio.create_task(asyncio.to_thread(as_archive, photos, state.root / "demo"))
    async with Supervisor(state, bus, report=lambda line: console.print(line, style="dim")) as system:
        console.print(f"[bold green]ready[/] in {time.monotonic() - began:.1f} s: {system.addresses.api_url}")
        watching = asyncio.create_task(system.watch())
        try:
            account = await kept_account(system.addresses, state, "Demo Shop")
            faults = await _Demo(system.addresses, account, console).run(await drawing)
            _explain(console, system.addresses, account)
            if faults:
                raise DemoFailed(faults)
            if not once:
                console.print("Everything stays up until Ctrl-C.")
                await watching
        finally:
            watching.cancel()


class _Demo:
    """One batch, from the archive to the contact sheet. `faults`: what was not as it should be."""

    def __init__(self, addresses: Addresses, account: Account, console: Console) -> None:
        self._console = console
        self._client = AsyncMannequin(account.key.get_secret_value(), addresses.api_url)
        self._faults: list[str] = []

    async def run(self, archive: Path) -> list[str]:
        async with self._client, receiver() as hooks:
            endpoint = await self._client.webhook_endpoints.create(hooks.url, description="demonstration")
            assert endpoint.secret is not None
            try:
                batch = await self._render(archive)
                await self._check_webhook(hooks, endpoint.secret.get_secret_value(), batch)
                images = [image async for image in self._client.batches.images(batch.id)]
                await self._save(archive, batch, images)
            except MannequinError as error:
                self._faults.append(str(error))
            finally:
                await self._client.webhook_endpoints.delete(endpoint.id)
        return self._faults

    async def _render(self, archive: Path) -> Batch:
        columns = (TextColumn("{task.description:9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console) as bars:
            total = (await asyncio.to_thread(archive.stat)).st_size // 1024
            task = bars.add_task("uploading", total=total)
            batch = await self._client.batches.process(
                archive, progress=lambda size: bars.advance(task, size / 1024)
            )
            bars.update(task, completed=total)
            task = bars.add_task("rendering", total=None)

            def show(event: Event) -> None:
                if event.kind in ("progress", "batch"):
                    counts = Batch.model_validate(event.data).counts
                    bars.update(task, total=counts.total or None, completed=counts.ended)

            return await self._client.batches.wait(batch.id, on_event=show)

    async def _check_webhook(self, hooks: Receiver, secret: str, batch: Batch) -> None:
        expected = f"batch.{'completed' if batch.status == 'completed' else 'failed'}"
        try:
            arrived = await asyncio.wait_for(hooks.arrivals.get(), _WEBHOOK_WITHIN_S)
            told = verify_webhook(secret, arrived.headers, arrived.body)
        except TimeoutError:
            self._faults.append("no webhook came")
            return
        if told["type"] != expected or told["data"]["batch"]["id"] != batch.id:
            self._faults.append(f"the webhook told of {told['type']}, not of {expected} of this batch")
        self._console.print(f"webhook [bold]{told['type']}[/] received, its signature verifies")

    async def _save(self, archive: Path, batch: Batch, images: Sequence[Image]) -> None:
        await asyncio.to_thread(_empty, OUT)
        if batch.status == "completed":
            await self._client.batches.download(batch.id, OUT / "results.zip")
        else:
            self._faults.append(
                f"the batch is {batch.status}: {batch.failure.detail if batch.failure else ''}"
            )
        results = await asyncio.to_thread(_unpack, OUT / "results.zip")
        self._console.print(_table(images))
        for image in images:
            if image.status != "completed" or image.id not in results:
                reason = image.failure.detail if image.failure else image.status
                self._faults.append(f"{image.name}: {reason}")
        await asyncio.to_thread(_write_sheet, archive, images, results)
        self._console.print(f"results in [bold]{OUT}/[/], before and after on {OUT / 'contact-sheet.jpg'}")


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _unpack(path: Path) -> dict[str, bytes]:
    """Save the results beside their archive; their bytes by the id of their image."""
    if not path.exists():
        return {}
    with zipfile.ZipFile(path) as archive:
        archive.extractall(OUT)
        manifest: dict[str, Any] = json.loads(archive.read("manifest.json"))
        return {image["id"]: archive.read(image["file"]) for image in manifest["images"] if image.get("file")}


def _table(images: Sequence[Image]) -> Table:
    table = Table("file", "verdict", "ms")
    for image in images:
        verdict = image.verdict or image.status
        colour = _COLOURS.get(verdict, "red")
        note = ", ".join(image.reasons) or (image.failure.code if image.failure else "")
        shown = f"[{colour}]{verdict}[/]" + (f" [dim]{note}[/]" if note else "")
        table.add_row(image.name, shown, str(image.render_ms or ""))
    return table


def _write_sheet(archive: Path, images: Sequence[Image], results: dict[str, bytes]) -> None:
    pairs = []
    with zipfile.ZipFile(archive) as photos:
        for image in images:
            if image.status == "completed":
                verdict = image.verdict or ""
                pairs.append(Pair(photos.read(image.name), results.get(image.id), image.name, verdict))
    write_contact_sheet(pairs, OUT / "contact-sheet.jpg")


def _explain(console: Console, addresses: Addresses, account: Account) -> None:
    key = account.key.get_secret_value()
    console.print(f"\nAPI      {addresses.api_url}   (documentation: {addresses.api_url}/docs)")
    console.print(f"API key  {key}", highlight=False)
    console.print("\nTry it:")
    console.print(f"  export MANNEQUIN_API_URL={addresses.api_url} MANNEQUIN_API_KEY={key}", highlight=False)
    console.print("  .venv/bin/mannequin render photo.jpg -o out/\n", highlight=False)
