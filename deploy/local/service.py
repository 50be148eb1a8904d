"""One of our services as a child process."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.ports import HOST
from deploy.local.processes import Program
from deploy.local.servers.server import SingleProcess, exchange
from deploy.local.state import State

SOURCE = Path(__file__).resolve().parents[2]
READY = b"HTTP/1.1 200"
# Where a user's shell forbids bytecode files, every start of a service would compile all its modules again.
COMPILE_ONCE = {"PYTHONDONTWRITEBYTECODE": ""}


class ServiceProcess(SingleProcess):
    """`python -m <module>`, ready when its private `/readyz` says so; a `Server`."""

    def __init__(
        self, state: State, name: str, module: str, health_port: int, environment: Mapping[str, str]
    ) -> None:
        super().__init__(state, name)
        self._module = module
        self._health_port = health_port
        self._environment = environment

    @property
    def url(self) -> str:
        """Its private address for health and metrics."""
        return f"http://{HOST}:{self._health_port}"

    def available(self) -> str | None:
        """See Server: Python is here, so a service is."""
        return None

    async def prepare(self) -> Program:
        """The supervisor's environment, so that settings of the user reach it, and its own on top."""
        path = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
        return Program(
            argv=(sys.executable, "-m", self._module),
            cwd=SOURCE,
            env={**os.environ, **COMPILE_ONCE, "PYTHONPATH": path, **self._environment},
        )

    async def ready(self) -> bool:
        """Whether `/readyz` answers 200."""
        request = f"GET /readyz HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n"
        return await exchange(HOST, self._health_port, request.encode(), len(READY)) == READY
