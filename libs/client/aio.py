"""The client for asyncio. `sync.py` is the same for ordinary code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from libs.client import calls
from libs.client.calls import Call
from libs.client.errors import ConnectionFailed, MannequinError, WaitTimeout, from_response
from libs.client.events import EventParser
from libs.client.models import Batch, Delivery, Endpoint, Event, Image, Page
from libs.client.retry import RetryPolicy
from libs.client.settings import ClientSettings

T = TypeVar("T")
Progress = Callable[[int], None]
"""Called with the number of bytes that just went by."""

_PIECE = 1024 * 1024


class AsyncMannequin:
    """The API as one tenant. Use it as an async context manager, or `close` it."""

    def __init__(
        self,
        api_key: str | None = None,
        api_url: str | None = None,
        *,
        timeout_s: float = 60.0,
        retry: RetryPolicy | None = None,
    ) -> None:
        settings = ClientSettings.of(api_key, api_url, timeout_s=timeout_s, retry=retry)
        self._transport = AsyncTransport(settings)
        self.batches = AsyncBatches(self._transport)
        self.images = AsyncImages(self._transport)
        self.webhook_endpoints = AsyncWebhookEndpoints(self._transport)

    async def close(self) -> None:
        await self._transport.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class AsyncTransport:
    """Carries calls out, again where that helps."""

    def __init__(self, settings: ClientSettings) -> None:
        self.http = httpx.AsyncClient(**settings.http())
        self._settings = settings

    async def send(self, call: Call[T], progress: Progress | None = None) -> T:
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._send_once(call, progress)
            except MannequinError as error:
                pause = self._settings.retry.pause(attempt, error)
                if pause is None:
                    raise
                await asyncio.sleep(pause)

    async def _send_once(self, call: Call[T], progress: Progress | None) -> T:
        try:
            response = await self.http.request(
                call.method,
                call.path,
                params=dict(call.params) or None,
                json=call.json,
                headers=dict(call.headers),
                content=_pieces(call.upload, progress) if call.upload else None,
            )
        except httpx.TransportError as error:
            raise ConnectionFailed(self._settings.api_url) from error
        if response.is_error:
            raise from_response(response.status_code, response.content, response.headers.get("retry-after"))
        return call.read(response.content)

    @asynccontextmanager
    async def stream(self, path: str, **options: Any) -> AsyncIterator[httpx.Response]:
        try:
            async with self.http.stream("GET", path, **options) as response:
                if response.is_error:
                    body = await response.aread()
                    raise from_response(response.status_code, body, response.headers.get("retry-after"))
                yield response
        except httpx.TransportError as error:
            raise ConnectionFailed(self._settings.api_url) from error

    async def download(self, path: str, target: Path, progress: Progress | None = None) -> Path:
        """Into a file beside the target first, so that a broken download leaves none that looks whole."""
        draft = target.with_name(target.name + ".part")
        async with self.stream(path) as response:
            with draft.open("wb") as file:
                async for piece in response.aiter_bytes(_PIECE):
                    await asyncio.to_thread(file.write, piece)
                    if progress:
                        progress(len(piece))
        return draft.replace(target)


class AsyncBatches:
    """`client.batches`"""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def process(
        self,
        archive: str | Path,
        *,
        options: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> Batch:
        """Upload a ZIP of photos. It is read while it is sent, whatever its size."""
        call = calls.process_batch(Path(archive), options or {}, idempotency_key)
        return await self._transport.send(call, progress)

    async def get(self, batch_id: str) -> Batch:
        return await self._transport.send(calls.get_batch(batch_id))

    async def list(self, cursor: str | None = None, limit: int = 50) -> Page[Batch]:
        return await self._transport.send(calls.list_batches(cursor, limit))

    async def images(self, batch_id: str) -> AsyncIterator[Image]:
        """Every image, page by page."""
        cursor: str | None = None
        while True:
            page = await self._transport.send(calls.list_images(batch_id, cursor, 500))
            for image in page.items:
                yield image
            if not (cursor := page.next_cursor):
                return

    async def cancel(self, batch_id: str) -> Batch:
        return await self._transport.send(calls.cancel_batch(batch_id))

    async def retry(self, batch_id: str) -> Batch:
        return await self._transport.send(calls.retry_batch(batch_id))

    async def events(self, batch_id: str, last_id: str | None = None) -> AsyncIterator[Event]:
        """What happens in the batch until it ends; one connection, which may break (ConnectionFailed)."""
        parser = EventParser(last_id)
        headers = {"last-event-id": last_id} if last_id else {}
        timeout = httpx.Timeout(10, read=60)
        async with self._transport.stream(
            calls.batch_events(batch_id), headers=headers, timeout=timeout
        ) as response:
            async for line in response.aiter_lines():
                if event := parser.feed(line):
                    yield event

    async def wait(
        self,
        batch_id: str,
        *,
        timeout_s: float | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Batch:
        """The batch once it has ended. A broken connection is taken up where it broke. WaitTimeout."""
        deadline = time.monotonic() + timeout_s if timeout_s is not None else None
        last_id: str | None = None
        while True:
            try:
                async for event in self.events(batch_id, last_id):
                    last_id = event.id
                    if on_event:
                        on_event(event)
                    if deadline is not None and time.monotonic() > deadline:
                        raise WaitTimeout(f"{batch_id} has not ended within {timeout_s:.0f} s")
            except ConnectionFailed:
                await asyncio.sleep(1.0)
            batch = await self.get(batch_id)
            if batch.ended:
                return batch
            if deadline is not None and time.monotonic() > deadline:
                raise WaitTimeout(f"{batch_id} has not ended within {timeout_s:.0f} s")

    async def download(self, batch_id: str, target: str | Path, progress: Progress | None = None) -> Path:
        """Save results.zip."""
        return await self._transport.download(calls.batch_results(batch_id), Path(target), progress)


class AsyncImages:
    """`client.images`"""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def submit(
        self,
        photo: str | Path,
        *,
        options: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Image:
        """Send one photo, ahead of all batches."""
        return await self._transport.send(calls.submit_image(Path(photo), options or {}, idempotency_key))

    async def get(self, image_id: str) -> Image:
        return await self._transport.send(calls.get_image(image_id))

    async def download(self, image_id: str, target: str | Path, progress: Progress | None = None) -> Path:
        """Save the result."""
        return await self._transport.download(calls.image_result(image_id), Path(target), progress)


class AsyncWebhookEndpoints:
    """`client.webhook_endpoints`"""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def create(
        self, url: str, *, types: tuple[str, ...] | None = None, description: str = ""
    ) -> Endpoint:
        return await self._transport.send(calls.create_endpoint(url, types, description))

    async def list(self) -> Page[Endpoint]:
        return await self._transport.send(calls.list_endpoints())

    async def delete(self, endpoint_id: str) -> None:
        await self._transport.send(calls.delete_endpoint(endpoint_id))

    async def test(self, endpoint_id: str) -> Delivery:
        return await self._transport.send(calls.test_endpoint(endpoint_id))

    async def rotate_secret(self, endpoint_id: str) -> Endpoint:
        return await self._transport.send(calls.rotate_secret(endpoint_id))

    async def deliveries(
        self, endpoint_id: str, cursor: str | None = None, limit: int = 50
    ) -> Page[Delivery]:
        return await self._transport.send(calls.list_deliveries(endpoint_id, cursor, limit))

    async def redeliver(self, endpoint_id: str, delivery_id: str) -> Delivery:
        return await self._transport.send(calls.redeliver(endpoint_id, delivery_id))


async def _pieces(path: Path, progress: Progress | None) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
            if progress:
                progress(len(piece))
