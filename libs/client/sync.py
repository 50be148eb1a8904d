"""The client for ordinary code. `aio.py` is the same for asyncio."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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


class Mannequin:
    """The API as one tenant. Use it as a context manager, or `close` it."""

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
        self.images = Images(self._transport)
        self.webhook_endpoints = WebhookEndpoints(self._transport)

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
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._send_once(call, progress)
            except MannequinError as error:
                pause = self._settings.retry.pause(attempt, error)
                if pause is None:
                    raise
                time.sleep(pause)

    def _send_once(self, call: Call[T], progress: Progress | None) -> T:
        try:
            response = self.http.request(
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

    @contextmanager
    def stream(self, path: str, **options: Any) -> Iterator[httpx.Response]:
        try:
            with self.http.stream("GET", path, **options) as response:
                if response.is_error:
                    body = response.read()
                    raise from_response(response.status_code, body, response.headers.get("retry-after"))
                yield response
        except httpx.TransportError as error:
            raise ConnectionFailed(self._settings.api_url) from error

    def download(self, path: str, target: Path, progress: Progress | None = None) -> Path:
        """Into a file beside the target first, so that a broken download leaves none that looks whole."""
        draft = target.with_name(target.name + ".part")
        with self.stream(path) as response, draft.open("wb") as file:
            for piece in response.iter_bytes(_PIECE):
                file.write(piece)
                if progress:
                    progress(len(piece))
        return draft.replace(target)


class Batches:
    """`client.batches`"""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def process(
        self,
        archive: str | Path,
        *,
        options: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
        progress: Progress | None = None,
    ) -> Batch:
        """Upload a ZIP of photos. It is read while it is sent, whatever its size."""
        call = calls.process_batch(Path(archive), options or {}, idempotency_key)
        return self._transport.send(call, progress)

    def get(self, batch_id: str) -> Batch:
        return self._transport.send(calls.get_batch(batch_id))

    def list(self, cursor: str | None = None, limit: int = 50) -> Page[Batch]:
        return self._transport.send(calls.list_batches(cursor, limit))

    def images(self, batch_id: str) -> Iterator[Image]:
        """Every image, page by page."""
        cursor: str | None = None
        while True:
            page = self._transport.send(calls.list_images(batch_id, cursor, 500))
            yield from page.items
            if not (cursor := page.next_cursor):
                return

    def cancel(self, batch_id: str) -> Batch:
        return self._transport.send(calls.cancel_batch(batch_id))

    def retry(self, batch_id: str) -> Batch:
        return self._transport.send(calls.retry_batch(batch_id))

    def events(self, batch_id: str, last_id: str | None = None) -> Iterator[Event]:
        """What happens in the batch until it ends; one connection, which may break (ConnectionFailed)."""
        parser = EventParser(last_id)
        headers = {"last-event-id": last_id} if last_id else {}
        timeout = httpx.Timeout(10, read=60)
        with self._transport.stream(
            calls.batch_events(batch_id), headers=headers, timeout=timeout
        ) as response:
            for line in response.iter_lines():
                if event := parser.feed(line):
                    yield event

    def wait(
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
                for event in self.events(batch_id, last_id):
                    last_id = event.id
                    if on_event:
                        on_event(event)
                    if deadline is not None and time.monotonic() > deadline:
                        raise WaitTimeout(f"{batch_id} has not ended within {timeout_s:.0f} s")
            except ConnectionFailed:
                time.sleep(1.0)
            batch = self.get(batch_id)
            if batch.ended:
                return batch
            if deadline is not None and time.monotonic() > deadline:
                raise WaitTimeout(f"{batch_id} has not ended within {timeout_s:.0f} s")

    def download(self, batch_id: str, target: str | Path, progress: Progress | None = None) -> Path:
        """Save results.zip."""
        return self._transport.download(calls.batch_results(batch_id), Path(target), progress)


class Images:
    """`client.images`"""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def submit(
        self,
        photo: str | Path,
        *,
        options: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Image:
        """Send one photo, ahead of all batches."""
        return self._transport.send(calls.submit_image(Path(photo), options or {}, idempotency_key))

    def get(self, image_id: str) -> Image:
        return self._transport.send(calls.get_image(image_id))

    def download(self, image_id: str, target: str | Path, progress: Progress | None = None) -> Path:
        """Save the result."""
        return self._transport.download(calls.image_result(image_id), Path(target), progress)


class WebhookEndpoints:
    """`client.webhook_endpoints`"""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(self, url: str, *, types: tuple[str, ...] | None = None, description: str = "") -> Endpoint:
        return self._transport.send(calls.create_endpoint(url, types, description))

    def list(self) -> Page[Endpoint]:
        return self._transport.send(calls.list_endpoints())

    def delete(self, endpoint_id: str) -> None:
        self._transport.send(calls.delete_endpoint(endpoint_id))

    def test(self, endpoint_id: str) -> Delivery:
        return self._transport.send(calls.test_endpoint(endpoint_id))

    def rotate_secret(self, endpoint_id: str) -> Endpoint:
        return self._transport.send(calls.rotate_secret(endpoint_id))

    def deliveries(self, endpoint_id: str, cursor: str | None = None, limit: int = 50) -> Page[Delivery]:
        return self._transport.send(calls.list_deliveries(endpoint_id, cursor, limit))

    def redeliver(self, endpoint_id: str, delivery_id: str) -> Delivery:
        return self._transport.send(calls.redeliver(endpoint_id, delivery_id))


def _pieces(path: Path, progress: Progress | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
            if progress:
                progress(len(piece))
