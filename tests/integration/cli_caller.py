"""Somebody at a terminal, as one tenant of a running system."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from libs.client.cli.main import app
from tests.servers.photos import jpegs, numbered

PROGRAM = (sys.executable, "-m", "libs.client.cli.main")


@dataclass
class Terminal:
    """environment: where the API is, and the tenant's key."""

    environment: Mapping[str, str]

    def run(self, *args: str, status: int = 0) -> Result:
        """The command's end, which has to have this exit status."""
        result = CliRunner().invoke(app, args, env=dict(self.environment))
        assert result.exit_code == status, f"{args}: {result.exit_code}\n{result.output}"
        return result

    def answer(self, *args: str, status: int = 0) -> Any:
        """What the command answers in JSON; nothing else may be on standard output."""
        return json.loads(self.run(*args, "--json", status=status).stdout)


def shoot(folder: Path, count: int, size: tuple[int, int] = (200, 150)) -> Path:
    """A folder of photos of (height, width) px."""
    folder.mkdir()
    for name, photo in numbered(jpegs(count, size)):
        (folder / name).write_bytes(photo)
    return folder
