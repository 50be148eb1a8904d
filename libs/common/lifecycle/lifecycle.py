"""A process from start to stop.

The law of it: resources start in the order of wiring and close in reverse; stopping drains first; a side task
that ends stops the whole process, so that the supervisor starts a healthy one instead of a limping one.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, Protocol, TypeVar

import uvloop

from libs.common.lifecycle.health import Health, Ping
from libs.common.settings import ServiceSettings, load
from libs.common.telemetry import configure_logs, configure_traces, logger

Settings = TypeVar("Settings", bound=ServiceSettings)
_log = logger("lifecycle")


class Resource(Protocol):
    """Something that is started, closed and asked whether it works."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def ping(self) -> None: ...


Started = TypeVar("Started", bound=Resource)


class Lifecycle:
    """What a service's wiring puts its parts into."""

    def __init__(self) -> None:
        self.pings: dict[str, Ping] = {}
        self.stopping = asyncio.Event()
        self._stack = AsyncExitStack()
        self._failure: BaseException | None = None

    async def open(self, name: str, resource: Started) -> Started:
        """Start `resource`, close it at the end and count its ping towards readiness."""
        self._stack.push_async_callback(resource.close)
        await resource.start()
        self.pings[name] = resource.ping
        return resource

    def at_stop(self, close: Callable[[], Awaitable[Any]]) -> None:
        """Call `close` when stopping, before what was opened earlier is closed."""
        self._stack.push_async_callback(close)

    def background(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` beside everything else; cancelled at the end. Ending by itself stops the process."""
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._side_task_ended)
        self._stack.push_async_callback(_cancel, task)
        return task

    async def run(self) -> None:
        """Wait for SIGTERM, SIGINT or a dead side task (raises its error)."""
        await self.stopping.wait()
        if self._failure is not None:
            raise self._failure

    async def close(self) -> None:
        """Close everything in reverse order; twice is fine."""
        self.stopping.set()
        await self._stack.aclose()

    def _side_task_ended(self, task: asyncio.Task[None]) -> None:
        if self.stopping.is_set() or task.cancelled():
            return
        self._failure = task.exception() or RuntimeError(f"the side task {task.get_name()} ended")
        _log.error("side_task_died", task=task.get_name(), exc_info=self._failure)
        self.stopping.set()


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


Wire = Callable[[Settings, Lifecycle], Awaitable[None]]


def serve(name: str, settings: type[Settings], wire: Wire[Settings]) -> None:
    """Run the service `name` until it is told to stop: the body of every `main.py`."""
    configured = load(settings)
    configure_logs(name, configured.log_level)
    provider = configure_traces(name, configured.otlp_endpoint)
    try:
        uvloop.run(_serve(name, configured, wire))
    finally:
        provider.shutdown()


async def _serve(name: str, settings: Settings, wire: Wire[Settings]) -> None:
    lifecycle = Lifecycle()
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stop, lifecycle.stopping.set)
    health = Health(settings.health_host, settings.health_port, lifecycle.pings)
    await health.start()
    lifecycle.at_stop(health.close)
    try:
        await wire(settings, lifecycle)
        health.started = True
        _log.info("started", service=name)
        await lifecycle.run()
    finally:
        _log.info("stopping", service=name)
        await lifecycle.close()
