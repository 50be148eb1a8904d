"""Free loopback ports, the same again at the next start where that is possible."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

# Below every common ephemeral range (Linux 32768, macOS and RFC 6335 49152): a client that retries a port of
# that range while its server is down can connect to itself, and then the server can't have its port back.
LOWEST, HIGHEST = 20_000, 32_000
HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


class Ports:
    """Hands out free ports by name, each once. With a file, a name keeps its port from start to start.

    Raises OSError when hundreds of draws found no free port.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._last: dict[str, int] = json.loads(file.read_text()) if file and file.exists() else {}
        self._given: dict[str, int] = {}

    def get(self, name: str, prefer: int | None = None) -> int:
        """The port of `name`: that of the last start, else the preferred one, else any that is free."""
        if name not in self._given:
            self._given[name] = self._choose([self._last.get(name), prefer])
            self._save()
        return self._given[name]

    def _choose(self, wishes: list[int | None]) -> int:
        draws = (random.randint(LOWEST, HIGHEST) for _ in range(500))  # noqa: S311  a port is no secret
        for port in (*(wish for wish in wishes if wish), *draws):
            if port not in self._given.values() and is_free(port):
                return port
        raise OSError(f"no free port between {LOWEST} and {HIGHEST}")

    def _save(self) -> None:
        if self._file:
            self._file.write_text(json.dumps(self._last | self._given, indent=1))
