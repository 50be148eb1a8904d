"""The client for ordinary code. `aio.py` is the same for asyncio."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from libs.client import calls, exchange
from libs.client.branding.sync import Brands, Domains
from libs.client.byok.models import Estimate
from libs.client.byok.sync import (
    CredentialProviders,
    Credentials,
    RoutingPolicies,
    UsageReports,
)
from libs.client.calls import Call
from libs.client.custom_models.sync import CustomModelCalls
from libs.client.errors import MannequinError
from libs.client.events import EventParser
from libs.client.exchange import PIECE, Meter, Progress
from libs.client.following import SILENCE_S, Following
from libs.client.human_models.sync import HumanModels
from libs.client.models import Batch, BatchOptions, Delivery, Endpoint, Event, Image, Page, RenderOptions
from libs.client.retry import RetryPolicy, Tries
from libs.client.settings import ClientSettings
from libs.client.tenant.sync import ApiKeys, OwnTenant

T = TypeVar("T")


class Mannequin:
    """The API as one tenant. Use it as a context manager, or `close` it.

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
        self._transport = Transport(settings)
        self.batches = Batches(self._transport)
        self.images = Images(self._transport, self.batches)
        self.webhook_endpoints = WebhookEndpoints(self._transport)
        self.credentials = Credentials(self._transport)
        self.credential_providers = CredentialProviders(self._transport)
        self.routing_policy = RoutingPolicies(self._transport)
        self.usage = UsageReports(self._transport)
        self.tenant = OwnTenant(self._transport)
        self.api_keys = ApiKeys(self._transport)
        self.branding = Brands(self._transport)
        self.domains = Domains(self._transport)
        self.human_models = HumanModels(self._transport)
        self.custom_models = CustomModelCalls(self._transport)

    def close(self) -> None:
        self._transport.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Transport:
    """Carries calls out, again where that helps."""

    def __init__(self, settings: ClientSettings) -> None:
        self.http = httpx.Client(**settings.http())
        self._settings = settings

    def send(self, call: Call[T], progress: Progress | None = None) -> T:
        meter = Meter(progress)

        def once(made: int) -> T:
            content = _pieces(call.upload, meter) if call.upload else None
            with self._translated():
                response = self.http.request(content=content, **exchange.arguments(call))
            return exchange.answer(call, response, repeated=made > 0)

        return self._tried(once, meter, repeatable=call.repeatable)

    def download(self, path: str, target: Path, progress: Progress | None = None) -> Path:
        """Into a file beside the target first, so that a broken download leaves none that looks whole."""
        draft = target.with_name(target.name + ".part")
        meter = Meter(progress)

        def once(_: int) -> None:
            with self.stream(path) as response, draft.open("wb") as file:
                for piece in response.iter_bytes(PIECE):
                    file.write(piece)
                    meter(len(piece))

        self._tried(once, meter, repeatable=True)
        return draft.replace(target)

    @contextmanager
    def stream(self, path: str, **options: Any) -> Iterator[httpx.Response]:
        with self._translated(), self.http.stream("GET", path, **options) as response:
            if response.is_error:
                response.read()
                raise exchange.problem(response)
            yield response

    def _tried(self, once: Callable[[int], T], meter: Meter, *, repeatable: bool) -> T:
        tries = Tries(self._settings.retry, repeatable=repeatable)
        while True:
            try:
                return once(tries.made)
            except MannequinError as error:
                time.sleep(tries.pause_after(error))
                meter.again()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx.RequestError as error:
            raise exchange.lost(self._settings.api_url, error) from error


class Batches:
    """`client.batches`"""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def process(
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
        return self._transport.send(calls.process_batch(Path(archive), options, idempotency_key), progress)

    def estimate(
        self,
        archive: str | Path,
        *,
        options: BatchOptions | None = None,
        progress: Progress | None = None,
    ) -> Estimate:
        """What the batch would come to: counts, routes and prices. Nothing is rendered, stored or billed."""
        return self._transport.send(calls.estimate_batch(Path(archive), options), progress)

    def get(self, batch_id: str) -> Batch:
        return self._transport.send(calls.get_batch(batch_id))

    def list(self, cursor: str | None = None, limit: int = 50) -> Page[Batch]:
        """Newest first."""
        return self._transport.send(calls.list_batches(cursor, limit))

    def images(self, batch_id: str, statuses: Sequence[str] = ()) -> Iterator[Image]:
        """Every image, or every one in these states, in the order of the archive; page by page."""
        cursor: str | None = None
        while True:
            page = self._transport.send(calls.list_images(batch_id, statuses, cursor))
            yield from page.items
            if not (cursor := page.next_cursor):
                return

    def cancel(self, batch_id: str) -> Batch:
        """Cancel what waits; what renders is finished and kept."""
        return self._transport.send(calls.cancel_batch(batch_id))

    def retry(self, batch_id: str) -> Batch:
        """Render the failed images of an ended batch again."""
        return self._transport.send(calls.retry_batch(batch_id))

    def events(self, batch_id: str, last_id: str | None = None) -> Iterator[Event]:
        """What happens in the batch until it ends; one connection, which may break (ConnectionFailed)."""
        for event in self._lines(batch_id, last_id, SILENCE_S):
            if event:
                yield event

    def wait(
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
                    for event in self._lines(batch_id, way.last_id, way.silence_s):
                        way.heard(event)
            if way.batch is None:
                with way.looking():
                    way.looked(self.get(batch_id))
                time.sleep(way.pause())
        return way.batch

    def download(self, batch_id: str, target: str | Path, progress: Progress | None = None) -> Path:
        """Save results.zip."""
        return self._transport.download(calls.batch_results(batch_id), Path(target), progress)

    def _lines(self, batch_id: str, last_id: str | None, silence_s: float) -> Iterator[Event | None]:
        parser = EventParser(last_id)
        options = exchange.resuming(last_id, silence_s)
        with self._transport.stream(calls.batch_events(batch_id), **options) as response:
            for line in response.iter_lines():
                yield parser.feed(line)


class Images:
    """`client.images`"""

    def __init__(self, transport: Transport, batches: Batches) -> None:
        self._transport = transport
        self._batches = batches

    def render(
        self,
        photo: str | Path,
        target: str | Path,
        *,
        options: RenderOptions | None = None,
        timeout_s: float | None = None,
    ) -> Image:
        """Send a photo, wait for its end and save the result, if it is `completed`. WaitTimeout."""
        image = self.wait(self.submit(photo, options=options), timeout_s=timeout_s)
        if image.status == "completed":
            self.download(image.id, target)
        return image

    def submit(
        self,
        photo: str | Path,
        *,
        options: RenderOptions | None = None,
        idempotency_key: str | None = None,
    ) -> Image:
        """Send one photo, ahead of all batches."""
        return self._transport.send(calls.submit_image(Path(photo), options, idempotency_key))

    def wait(self, image: Image, *, timeout_s: float | None = None) -> Image:
        """The image of `submit` once it has ended. WaitTimeout."""
        self._batches.wait(image.batch_id, timeout_s=timeout_s)
        return self.get(image.id)

    def get(self, image_id: str) -> Image:
        return self._transport.send(calls.get_image(image_id))

    def download(self, image_id: str, target: str | Path, progress: Progress | None = None) -> Path:
        """Save the result."""
        return self._transport.download(calls.image_result(image_id), Path(target), progress)

    def download_rendition(
        self, image_id: str, name: str, target: str | Path, progress: Progress | None = None
    ) -> Path:
        """Save one of the image's `renditions`."""
        return self._transport.download(calls.image_rendition(image_id, name), Path(target), progress)

    def download_artefact(
        self, image_id: str, name: str, target: str | Path, progress: Progress | None = None
    ) -> Path:
        """Save one of the image's `artefacts`: `alpha`, `classes` or `synthesized`."""
        return self._transport.download(calls.image_artefact(image_id, name), Path(target), progress)


class WebhookEndpoints:
    """`client.webhook_endpoints`"""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, url: str, *, types: Sequence[str] | None = None, description: str = "") -> Endpoint:
        """Register an endpoint; the answer has its signing secret, this once."""
        made = self._transport.send(calls.create_endpoint(url, types, description))
        return made if made.secret else self.rotate_secret(made.id, overlap_s=0)

    def list(self) -> Page[Endpoint]:
        return self._transport.send(calls.list_endpoints())

    def get(self, endpoint_id: str) -> Endpoint:
        return self._transport.send(calls.get_endpoint(endpoint_id))

    def delete(self, endpoint_id: str) -> None:
        self._transport.send(calls.delete_endpoint(endpoint_id))

    def test(self, endpoint_id: str) -> Delivery:
        """Send a `webhook.test` message."""
        return self._transport.send(calls.test_endpoint(endpoint_id))

    def rotate_secret(self, endpoint_id: str, *, overlap_s: int | None = None) -> Endpoint:
        """A new secret; the old one signs along for `overlap_s` seconds, a day if None."""
        made = self._transport.send(calls.rotate_secret(endpoint_id, overlap_s))
        if made.secret is None:  # that answer was lost on its way, and is not given again with the secret
            made = self._transport.send(calls.rotate_secret(endpoint_id, overlap_s))
        return made

    def deliveries(self, endpoint_id: str, cursor: str | None = None, limit: int = 50) -> Page[Delivery]:
        """Newest first, each with all of its attempts."""
        return self._transport.send(calls.list_deliveries(endpoint_id, cursor, limit))

    def redeliver(self, endpoint_id: str, delivery_id: str) -> Delivery:
        """Send it again now, with the same `webhook-id`."""
        return self._transport.send(calls.redeliver(endpoint_id, delivery_id))


def _pieces(path: Path, meter: Meter) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
            meter(len(piece))
