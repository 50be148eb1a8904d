"""The state folder `.mannequin/`: everything that the local system keeps, and nothing outside it."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import SecretStr

from deploy.local.errors import AlreadyRunning


class State:
    """Paths, secrets and ports of one local system. Private to its owner (0700).

    `root` is made if it is missing. Secrets and data belong together: removing `secrets.json` alone locks
    the servers' data; remove the whole folder to start afresh.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        if not self.root.is_dir():
            self.root.mkdir(mode=0o700, parents=True)
        self.logs = self._folder("logs")
        self.run = self._folder("run")
        self.objects = self._folder("objects")
        self.secrets = SecretsFile(self.root / "secrets.json")

    def data(self, server: str) -> Path:
        """The folder of one server's data, made if it is missing."""
        return self._folder(server)

    def log(self, name: str) -> Path:
        """The log file of one process."""
        return self.logs / f"{name}.log"

    def _folder(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the folder for one supervisor; the kernel lets go when that process ends, however it ends.

        Raises AlreadyRunning.
        """
        with (self.root / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                file.seek(0)
                raise AlreadyRunning(str(self.root), _number(file.read())) from exc
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield


class SecretsFile:
    """Generated secrets by name, in one JSON file that only its owner reads (0600)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._values: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def password(self, name: str) -> SecretStr:
        """A password of 32 URL-safe characters, made when it is first asked for."""
        return self._get(f"{name}.password", lambda: secrets.token_urlsafe(24))

    def fernet_key(self, name: str) -> SecretStr:
        """A Fernet key: 32 random bytes in URL-safe base64."""
        return self._get(f"{name}.key", lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    def _get(self, name: str, make: Callable[[], str]) -> SecretStr:
        if name not in self._values:
            self._values[name] = make()
            write_private(self._path, json.dumps(self._values, indent=1))
        return SecretStr(self._values[name])


def write_private(path: Path, text: str, mode: int = 0o600) -> None:
    """Writes a whole file that was never readable by others, or leaves the old one."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _number(text: str) -> int | None:
    return int(text) if text.strip().isdigit() else None
