"""Starting a server for the tests, or saying which one is missing."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from deploy.local.servers.server import Server
from deploy.local.state import State
from tests.servers.planted import leaks

AnyServer = TypeVar("AnyServer", bound=Server)


def demand(server: Server) -> None:
    """Skips on a laptop where the server can't be had, by its name, and fails under CI."""
    if reason := server.available():
        missing = f"{server.name} can't be had: {reason}"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)


def having(server: AnyServer) -> Iterator[AnyServer]:
    """The server while it runs, where it can be had (see `demand`)."""
    demand(server)
    asyncio.run(server.start())
    try:
        yield server
    finally:
        asyncio.run(server.stop())


@contextmanager
def fresh_state(name: str) -> Iterator[State]:
    """A state folder that is removed at the end, after a look whether a planted secret stands in it.

    Not below pytest's `tmp_path`: another run of pytest takes back the search permission on its root, which
    PostgreSQL needs where root starts it as an unprivileged user.
    """
    with tempfile.TemporaryDirectory(prefix=f"mannequin-{name}-", ignore_cleanup_errors=True) as folder:
        yield State(Path(folder))
        assert not (found := leaks(Path(folder))), f"planted secrets stand in {', '.join(found)}"
