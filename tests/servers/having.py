"""Starting a server for the tests, or saying which one is missing."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import TypeVar

import pytest

from deploy.local.servers.server import Server

AnyServer = TypeVar("AnyServer", bound=Server)


def having(server: AnyServer) -> Iterator[AnyServer]:
    """The server while it runs. One that can't be had skips on a laptop, by its name, and fails under CI."""
    if reason := server.available():
        missing = f"{server.name} can't be had: {reason}"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    asyncio.run(server.start())
    try:
        yield server
    finally:
        asyncio.run(server.stop())
