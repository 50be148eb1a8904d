"""The demonstration: start everything, send a batch, receive its webhook, look at what came."""

from __future__ import annotations

import asyncio
import time
import zipfile
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr
from rich.console import Console
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from deploy.local.demo import results
from deploy.local.demo.account import Account, kept_account
from deploy.local.demo.own_brand import OwnBrand
from deploy.local.demo.own_key import OwnKey, own_account
from deploy.local.demo.receiver import Receiver, receiver
from deploy.local.demo.sample import Shoot, many, shoot
from deploy.local.demo.screen import Screen
from deploy.local.environment import Addresses
from deploy.local.errors import LocalError
from deploy.local.state import State
from deploy.local.supervisor import Bus, Supervisor
from deploy.operator.scan import Places
from deploy.vault.keys import VaultAccess
from libs.client import AsyncMannequin
from libs.client.errors import MannequinError, NothingToSend
from libs.client.models import Batch, Endpoint, Image

OUT = Path("out")
_DESCRIPTION = "demonstration"
_WEBHOOK_WITHIN_S = 30.0
_BATCH_WITHIN_S = 1800.0
"""After this long without an end, `--once` says so instead of waiting on."""


class DemoFailed(LocalError):
    """The demonstration did not show what it should."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("The demonstration failed:\n" + "\n".join(f"- {reason}" for reason in reasons))


async def demonstrate(state: State, bus: Bus, photos: Path | None, *, once: bool, console: Console) -> None:
    """All of it. With `once` it ends then, and DemoFailed names everything that was not as it should be;
    without, everything stays up.
    """
    began = time.monotonic()
    drawing = asyncio.create_task(asyncio.to_thread(shoot, photos, state.root / "demo"))
    async with Supervisor(state, bus, report=lambda line: console.print(line, style="dim")) as system:
        console.print(f"[bold green]ready[/] in {time.monotonic() - began:.1f} s: {system.addresses.api_url}")
        show = _show(system.addresses, state, drawing, Screen(console), _places(system), once=once)
        await _unless_it_dies(show, system.watch())


def _places(system: Supervisor) -> Places:
    """Where a scan for an erased tenant looks."""
    return Places(
        admin_url=SecretStr(system.postgres.url),
        objects_url=SecretStr(system.addresses.objects_url),
        bus_url=system.addresses.bus_url,
        vault=VaultAccess(system.vault.url, system.vault.ca, system.vault.approles),
    )


async def _unless_it_dies(work: Coroutine[None, None, None], watch: Coroutine[None, None, None]) -> None:
    """Ends with `work`, or with the error of `watch` when what the work stands on is lost."""
    tasks = [asyncio.create_task(work), asyncio.create_task(watch)]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _show(
    addresses: Addresses,
    state: State,
    drawing: asyncio.Task[Shoot],
    screen: Screen,
    places: Places,
    *,
    once: bool,
) -> None:
    account = await kept_account(addresses, state, "Demo Shop")
    try:
        photos = await drawing
    except NothingToSend as error:
        raise LocalError(str(error)) from error
    faults = await _Demo(addresses, account, screen, _BATCH_WITHIN_S if once else None).run(photos)
    faults += await _second_act(addresses, state, screen)
    faults += await _third_act(addresses, state, screen, places)
    screen.explain(addresses, account)
    if faults and once:
        raise DemoFailed(faults)
    screen.faults(faults)
    if not once:
        screen.console.print("Everything stays up until Ctrl-C.")
        await asyncio.Event().wait()


async def _third_act(addresses: Addresses, state: State, screen: Screen, places: Places) -> Sequence[str]:
    screen.own_brand()
    return await OwnBrand(addresses, screen, places, state.root / "demo").run(OUT / results.SHEET)


async def _second_act(addresses: Addresses, state: State, screen: Screen) -> Sequence[str]:
    screen.own_key()
    archive = await asyncio.to_thread(many, state.root / "demo")
    async with own_account(state) as (server, key):
        return await OwnKey(addresses, screen, server, key).run(archive)


class _Demo:
    """One batch, from the archive to the contact sheet. `_faults`: what was not as it should be."""

    def __init__(
        self, addresses: Addresses, account: Account, screen: Screen, patience_s: float | None
    ) -> None:
        self._screen = screen
        self._patience_s = patience_s
        self._client = AsyncMannequin(account.key.get_secret_value(), addresses.api_url)
        self._faults: list[str] = []

    async def run(self, photos: Shoot) -> list[str]:
        async with self._client, receiver() as hooks:
            try:
                await self._forget_endpoints()
                endpoint = await self._client.webhook_endpoints.create(hooks.url, description=_DESCRIPTION)
                batch = await self._render(photos)
                await self._check_webhook(hooks, endpoint, batch)
                await self._check_results(photos, batch)
            except MannequinError as error:
                self._faults.append(str(error))
            with suppress(MannequinError):
                await self._forget_endpoints()
        return self._faults

    async def _forget_endpoints(self) -> None:
        """Also those of runs that were killed: a tenant can only have so many."""
        for endpoint in (await self._client.webhook_endpoints.list()).items:
            if endpoint.description == _DESCRIPTION:
                await self._client.webhook_endpoints.delete(endpoint.id)

    async def _render(self, photos: Shoot) -> Batch:
        with self._screen.uploading((await asyncio.to_thread(photos.archive.stat)).st_size) as sent:
            batch = await self._client.batches.process(photos.archive, progress=sent)
        with self._screen.rendering() as show:
            batch = await self._client.batches.wait(batch.id, timeout_s=self._patience_s, on_event=show)
        if batch.status != "completed":
            reason = batch.failure.detail if batch.failure else "no reason was given"
            self._faults.append(f"the batch is {batch.status}: {reason}")
        return batch

    async def _check_webhook(self, hooks: Receiver, endpoint: Endpoint, batch: Batch) -> None:
        """By the reference library of Standard Webhooks, which knows nothing of this project."""
        expected = f"batch.{'completed' if batch.status == 'completed' else 'failed'}"
        secret = endpoint.secret.get_secret_value() if endpoint.secret else ""
        try:
            arrived = await asyncio.wait_for(hooks.arrivals.get(), _WEBHOOK_WITHIN_S)
            told = Webhook(secret).verify(arrived.body, dict(arrived.headers))
        except TimeoutError:
            self._faults.append(f"no webhook came within {_WEBHOOK_WITHIN_S:.0f} s")
        except WebhookVerificationError as error:
            self._faults.append(f"the webhook's signature does not verify: {error}")
        else:
            if told["type"] != expected or told["data"]["batch"]["id"] != batch.id:
                self._faults.append(f"the webhook told of {told['type']}, not of {expected} of this batch")
            self._screen.console.print(f"webhook [bold]{told['type']}[/] received, its signature verifies")

    async def _check_results(self, photos: Shoot, batch: Batch) -> None:
        images = [image async for image in self._client.batches.images(batch.id)]
        self._screen.table(images)
        if not batch.counts.completed:
            self._faults.append("there are no results")
            return
        await asyncio.to_thread(OUT.mkdir, parents=True, exist_ok=True)
        # Opened before anything is replaced: the user's photos may be an earlier run's results.
        with await asyncio.to_thread(zipfile.ZipFile, photos.archive) as archive:
            await self._client.batches.download(batch.id, OUT / results.ARCHIVE)
            await asyncio.to_thread(self._look, archive, images, photos.names)

    def _look(self, archive: zipfile.ZipFile, images: Sequence[Image], names: frozenset[str]) -> None:
        try:
            files = results.unpack(OUT)
            self._faults.extend(results.missing(images, files, names))
            drawn = results.draw_sheet(archive, images, files, OUT)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            self._faults.append(f"the results or their contact sheet could not be written: {error!r}")
            return
        self._screen.console.print(f"{len(files)} results in [bold]{OUT / results.PICTURES}/[/]")
        self._screen.console.print(f"{drawn} of them before and after on [bold]{OUT / results.SHEET}[/]")
