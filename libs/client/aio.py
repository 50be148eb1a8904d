"""The client for asyncio. `sync.py` is the same for ordinary code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from libs.client import calls, exchange
from libs.client.branding.aio import AsyncBrands, AsyncDomains
from libs.client.byok.aio import (
    AsyncCredentialProviders,
    AsyncCredentials,
    AsyncRoutingPolicies,
    AsyncUsageReports,
)
from libs.client.byok.models import Estimate
from libs.client.calls import Call
from libs.client.custom_models.aio import AsyncCustomModelCalls
from libs.client.errors import MannequinError
from libs.client.events import EventParser
from libs.client.exchange import PIECE, Meter, Progress
from libs.client.following import SILENCE_S, Following
from libs.client.human_models.aio import AsyncHumanModels
from libs.client.models import Batch, BatchOptions, Delivery, Endpoint, Event, Image, Page, RenderOptions
from libs.client.retry import RetryPolicy, Tries
from libs.client.settings import ClientSettings
from libs.client.tenant.aio import AsyncApiKeys, AsyncOwnTenant

T = TypeVar("T")


class AsyncMannequin:
    """The API as one tenant. Use it as an async context manager, or `close` it.

    Every call may raise ApiError, ConnectionFailed or UnexpectedAnswer, once trying again was no help.
    """

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
        self.images = AsyncImages(self._transport, self.batches)
        self.webhook_endpoints = AsyncWebhookEndpoints(self._transport)
        self.credentials = AsyncCredentials(self._transport)
        self.credential_providers = AsyncCredentialProviders(self._transport)
        self.routing_policy = AsyncRoutingPolicies(self._transport)
        self.usage = AsyncUsageReports(self._transport)
        self.tenant = AsyncOwnTenant(self._transport)
        self.api_keys = AsyncApiKeys(self._transport)
        self.branding = AsyncBrands(self._transport)
        self.domains = AsyncDomains(self._transport)
        self.human_models = AsyncHumanModels(self._transport)
        self.custom_models = AsyncCustomModelCalls(self._transport)

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
        meter = Meter(progress)

        async def once(made: int) -> T:
            content = _pieces(call.upload, meter) if call.upload else None
            with self._translated():
                response = await self.http.request(content=content, **exchange.arguments(call))
            return exchange.answer(call, response, repeated=made > 0)

        return await self._tried(once, meter, repeatable=call.repeatable)

    async def download(self, path: str, target: Path, progress: Progress | None = None) -> Path:
        """Into a file beside the target first, so that a broken download leaves none that looks whole."""
        draft = target.with_name(target.name + ".part")
        meter = Meter(progress)

        async def once(_: int) -> None:
            async with self.stream(path) as response:
                with draft.open("wb") as file:
                    async for piece in response.aiter_bytes(PIECE):
                        await asyncio.to_thread(file.write, piece)
                        meter(len(piece))

        await self._tried(once, meter, repeatable=True)
        return draft.replace(target)

    @asynccontextmanager
    async def stream(self, path: str, **options: Any) -> AsyncIterator[httpx.Response]:
        with self._translated():
            async with self.http.stream("GET", path, **options) as response:
                if response.is_error:
                    await response.aread()
                    raise exchange.problem(response)
                yield response

    async def _tried(self, once: Callable[[int], Awaitable[T]], meter: Meter, *, repeatable: bool) -> T:
        tries = Tries(self._settings.retry, repeatable=repeatable)
        while True:
            try:
                return await once(tries.made)
            except MannequinError as error:
                await asyncio.sleep(tries.pause_after(error))
                meter.again()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.RequestError as error:
            raise exchange.lost(self._settings.api_url, error) from error


class AsyncBatches:
    """`client.batches`"""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def process(
        self,
        archive: str | Path,
        *,
        options: BatchOptions | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> Batch:
        """Upload a ZIP of photos. It is read while it is sent, whatever its size.

        idempotency_key: the same key with the same ZIP is the same batch, also from another process.
        """
        return await self._transport.send(
            calls.process_batch(Path(archive), options, idempotency_key), progress
        )

    async def estimate(
        self,
        archive: str | Path,
        *,
        options: BatchOptions | None = None,
        progress: Progress | None = None,
    ) -> Estimate:
        """What the batch would come to: counts, routes and prices. Nothing is rendered, stored or billed."""
        return await self._transport.send(calls.estimate_batch(Path(archive), options), progress)

    async def get(self, batch_id: str) -> Batch:
        return await self._transport.send(calls.get_batch(batch_id))

    async def list(self, cursor: str | None = None, limit: int = 50) -> Page[Batch]:
        """Newest first."""
        return await self._transport.send(calls.list_batches(cursor, limit))

    async def images(self, batch_id: str, statuses: Sequence[str] = ()) -> AsyncIterator[Image]:
        """Every image, or every one in these states, in the order of the archive; page by page."""
        cursor: str | None = None
        while True:
            page = await self._transport.send(calls.list_images(batch_id, statuses, cursor))
            for image in page.items:
                yield image
            if not (cursor := page.next_cursor):
                return

    async def cancel(self, batch_id: str) -> Batch:
        """Cancel what waits; what renders is finished and kept."""
        return await self._transport.send(calls.cancel_batch(batch_id))

    async def retry(self, batch_id: str) -> Batch:
        """Render the failed images of an ended batch again."""
        return await self._transport.send(calls.retry_batch(batch_id))

    async def events(self, batch_id: str, last_id: str | None = None) -> AsyncIterator[Event]:
        """What happens in the batch until it ends; one connection, which may break (ConnectionFailed)."""
        async with aclosing(self._lines(batch_id, last_id, SILENCE_S)) as events:
            async for event in events:
                if event:
                    yield event

    async def wait(
        self,
        batch_id: str,
        *,
        timeout_s: float | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Batch:
        """The batch once it has ended. A broken connection is taken up where it broke. WaitTimeout."""
        way = Following(batch_id, timeout_s, on_event)
        while way.batch is None:
            with way.listening():
                if way.streams:
                    async with aclosing(self._lines(batch_id, way.last_id, way.silence_s)) as events:
                        async for event in events:
                            way.heard(event)
            if way.batch is None:
                with way.looking():
                    way.looked(await self.get(batch_id))
                await asyncio.sleep(way.pause())
        return way.batch

    async def download(self, batch_id: str, target: str | Path, progress: Progress | None = None) -> Path:
        """Save results.zip."""
        return await self._transport.download(calls.batch_results(batch_id), Path(target), progress)

    async def _lines(
        self, batch_id: str, last_id: str | None, silence_s: float
    ) -> AsyncGenerator[Event | None, None]:
        parser = EventParser(last_id)
        options = exchange.resuming(last_id, silence_s)
        async with self._transport.stream(calls.batch_events(batch_id), **options) as response:
            async for line in response.aiter_lines():
                yield parser.feed(line)


class AsyncImages:
    """`client.images`"""

    def __init__(self, transport: AsyncTransport, batches: AsyncBatches) -> None:
        self._transport = transport
        self._batches = batches

    async def render(
        self,
        photo: str | Path,
        target: str | Path,
        *,
        options: RenderOptions | None = None,
        timeout_s: float | None = None,
    ) -> Image:
        """Send a photo, wait for its end and save the result, if it is `completed`. WaitTimeout."""
        image = await self.wait(await self.submit(photo, options=options), timeout_s=timeout_s)
        if image.status == "completed":
            await self.download(image.id, target)
        return image

    async def submit(
        self,
        photo: str | Path,
        *,
        options: RenderOptions | None = None,
        idempotency_key: str | None = None,
    ) -> Image:
        """Send one photo, ahead of all batches."""
        return await self._transport.send(calls.submit_image(Path(photo), options, idempotency_key))

    async def wait(self, image: Image, *, timeout_s: float | None = None) -> Image:
        """The image of `submit` once it has ended. WaitTimeout."""
        await self._batches.wait(image.batch_id, timeout_s=timeout_s)
        return await self.get(image.id)

    async def get(self, image_id: str) -> Image:
        return await self._transport.send(calls.get_image(image_id))

    async def download(self, image_id: str, target: str | Path, progress: Progress | None = None) -> Path:
        """Save the result."""
        return await self._transport.download(calls.image_result(image_id), Path(target), progress)

    async def download_rendition(
        self, image_id: str, name: str, target: str | Path, progress: Progress | None = None
    ) -> Path:
        """Save one of the image's `renditions`."""
        return await self._transport.download(calls.image_rendition(image_id, name), Path(target), progress)

    async def download_artefact(
        self, image_id: str, name: str, target: str | Path, progress: Progress | None = None
    ) -> Path:
        """Save one of the image's `artefacts`: `alpha`, `classes` or `synthesized`."""
        return await self._transport.download(calls.image_artefact(image_id, name), Path(target), progress)


class AsyncWebhookEndpoints:
    """`client.webhook_endpoints`"""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def create(
        self, url: str, *, types: Sequence[str] | None = None, description: str = ""
    ) -> Endpoint:
        """Register an endpoint; the answer has its signing secret, this once."""
        made = await self._transport.send(calls.create_endpoint(url, types, description))
        return made if made.secret else await self.rotate_secret(made.id, overlap_s=0)

    async def list(self) -> Page[Endpoint]:
        return await self._transport.send(calls.list_endpoints())

    async def get(self, endpoint_id: str) -> Endpoint:
        return await self._transport.send(calls.get_endpoint(endpoint_id))

    async def delete(self, endpoint_id: str) -> None:
        await self._transport.send(calls.delete_endpoint(endpoint_id))

    async def test(self, endpoint_id: str) -> Delivery:
        """Send a `webhook.test` message."""
        return await self._transport.send(calls.test_endpoint(endpoint_id))

    async def rotate_secret(self, endpoint_id: str, *, overlap_s: int | None = None) -> Endpoint:
        """A new secret; the old one signs along for `overlap_s` seconds, a day if None."""
        made = await self._transport.send(calls.rotate_secret(endpoint_id, overlap_s))
        if made.secret is None:  # that answer was lost on its way, and is not given again with the secret
            made = await self._transport.send(calls.rotate_secret(endpoint_id, overlap_s))
        return made

    async def deliveries(
        self, endpoint_id: str, cursor: str | None = None, limit: int = 50
    ) -> Page[Delivery]:
        """Newest first, each with all of its attempts."""
        return await self._transport.send(calls.list_deliveries(endpoint_id, cursor, limit))

    async def redeliver(self, endpoint_id: str, delivery_id: str) -> Delivery:
        """Send it again now, with the same `webhook-id`."""
        return await self._transport.send(calls.redeliver(endpoint_id, delivery_id))


async def _pieces(path: Path, meter: Meter) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
            meter(len(piece))
