"""RabbitMQ from the system's package, as a node of its own beside whatever the package would run.

The node and its name server (epmd) are both children of ours on ports of their own, so no daemon is left
behind and a system-wide RabbitMQ is not disturbed. Data, logs, cookie and HOME are in the state folder.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

from pydantic import SecretStr

from deploy.local.ports import HOST, Ports
from deploy.local.processes import Program
from deploy.local.servers.server import SingleProcess, exchange
from deploy.local.state import State, write_private

USER = "mannequin"
NODE = "mannequin@localhost"
# The script itself: the command on Debian's PATH is a wrapper that changes to the user rabbitmq.
DEBIAN_SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"  # AMQP 0-9-1, section 4.2.2
METHOD_FRAME = b"\x01"

CONFIG = """\
listeners.tcp.local = {host}:{port}
default_user = {user}
default_pass = {password}
default_user_tags.administrator = true
log.file = false
log.console = true
log.console.level = warning
log.console.use_colors = off
disk_free_limit.absolute = 200MB
"""


class RabbitMq:
    """One node with one user; a `Server`. The name server keeps running when only the node is killed."""

    name = "rabbitmq"

    def __init__(self, state: State, ports: Ports, password: SecretStr) -> None:
        self.folder = state.data("rabbitmq")
        self._names = NameServer(state, ports.get("rabbitmq-epmd"))
        self._node = Node(
            state, ports.get("rabbitmq"), ports.get("rabbitmq-peers"), self._names.port, password
        )

    @property
    def url(self) -> str:
        """amqp:// with user and password, virtual host `/`."""
        return self._node.url

    @property
    def pids(self) -> tuple[int, ...]:
        """See Server: node, then name server."""
        return self._node.pids + self._names.pids

    def available(self) -> str | None:
        """See Server."""
        if _script() is None or _epmd() is None:
            return "rabbitmq-server is not installed; run: make rabbitmq"
        return None

    async def start(self) -> None:
        """See Server."""
        await self._names.start()
        await self._node.start()

    async def stop(self) -> None:
        """See Server."""
        await self._node.stop()
        await self._names.stop()

    async def kill(self) -> None:
        """See Server."""
        await self._node.kill()
        await self._names.kill()

    async def restart(self) -> None:
        """See Server."""
        await self.stop()
        await self.start()

    async def ended(self) -> None:
        """See Server."""
        waits = [asyncio.ensure_future(part.ended()) for part in (self._node, self._names)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    def log_tail(self) -> str:
        """See Server."""
        return self._node.log_tail()


class NameServer(SingleProcess):
    """epmd, where Erlang nodes of this machine look each other up; a node will not start without one."""

    def __init__(self, state: State, port: int) -> None:
        super().__init__(state, "rabbitmq-epmd")
        self.port = port

    async def prepare(self) -> Program:
        """In the foreground, on loopback only."""
        argv = (_epmd() or "epmd", "-address", HOST, "-port", str(self.port))
        return Program(argv=argv, cwd=self._state.data("rabbitmq"), env=dict(os.environ))

    async def ready(self) -> bool:
        """It answers NAMES_REQ ('n') with its own port."""
        return await exchange(HOST, self.port, b"\x00\x01n", 4) == self.port.to_bytes(4)


class Node(SingleProcess):
    """The broker itself."""

    start_limit_s = 90.0

    def __init__(self, state: State, port: int, peer_port: int, epmd_port: int, password: SecretStr) -> None:
        super().__init__(state, "rabbitmq")
        self._port = port
        self._peer_port = peer_port
        self._epmd_port = epmd_port
        self._password = password

    @property
    def url(self) -> str:
        """amqp:// with user and password."""
        return f"amqp://{USER}:{self._password.get_secret_value()}@{HOST}:{self._port}/"

    async def prepare(self) -> Program:
        """Writes the config anew, as it holds the port. Ready-made files of /etc/rabbitmq are left out."""
        folder = self._state.data("rabbitmq")
        config = CONFIG.format(
            host=HOST, port=self._port, user=USER, password=self._password.get_secret_value()
        )
        write_private(folder / "rabbitmq.conf", config)
        write_private(folder / "plugins", "[].\n")
        return Program(argv=(str(_script()),), cwd=folder, env=self._environment(folder))

    def _environment(self, folder: Path) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("RABBITMQ_")}
        erlang = "-kernel inet_dist_use_interface {127,0,0,1}"
        return inherited | {
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": HOST,
            # For every erl that the script runs: one that finds no name server would start a daemon of its
            # own, which nobody ends.
            "ERL_AFLAGS": "-start_epmd false",
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_DIST_PORT": str(self._peer_port),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "generated"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PLUGINS_EXPAND_DIR": str(folder / "expanded"),
            # The script becomes the node, instead of a shell before it that a kill would leave without its
            # child.
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_START_ARGS": "-noinput",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": erlang,
        }

    async def ready(self) -> bool:
        """Its listener opens last; the answer to a protocol header is Connection.Start, a method frame."""
        return await exchange(HOST, self._port, PROTOCOL_HEADER, 1) == METHOD_FRAME


def _script() -> Path | None:
    if DEBIAN_SCRIPT.exists():
        return DEBIAN_SCRIPT
    found = shutil.which("rabbitmq-server")
    return Path(found) if found else None


def _epmd() -> str | None:
    return shutil.which("epmd")
