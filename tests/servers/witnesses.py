"""Who sees what passes: a tap on the bus and a collector of traces; both write down all of it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import nats
from nats.aio.msg import Msg
from pydantic import SecretStr


@contextmanager
def collector(file: Path) -> Iterator[str]:
    """An OTLP collector that keeps every request's body; gives its address."""
    lock = threading.Lock()

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            with lock, file.open("ab") as kept:
                kept.write(body + b"\n")
            self.send_response(200)
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def tap(url: SecretStr, file: Path) -> Iterator[None]:
    """Hears every subject of a NATS server, requests and their replies too, and keeps headers and bodies."""
    ready, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_listen(url, file, ready, stop)), daemon=True)
    thread.start()
    assert ready.wait(10), "the tap could not connect"
    try:
        yield
    finally:
        stop.set()
        thread.join()


async def _listen(url: SecretStr, file: Path, ready: threading.Event, stop: threading.Event) -> None:
    with await asyncio.to_thread(file.open, "ab") as kept:

        async def keep(message: Msg) -> None:
            kept.write(f"{message.subject} {message.headers}\n".encode() + message.data + b"\n")
            kept.flush()

        connection = await nats.connect(url.get_secret_value(), pending_size=64 * 2**20)
        await connection.subscribe(">", cb=keep)
        await connection.flush()
        ready.set()
        await asyncio.to_thread(stop.wait)
        await connection.drain()
