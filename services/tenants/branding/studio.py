"""Pictures of strangers, looked at in a process of their own that may die of them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from services.tenants.branding.errors import PictureRefused

TIMEOUT_S = 15.0
AT_ONCE = 2
_ROOT = Path(__file__).resolve().parents[3]
_CHILD = "services.tenants.branding.workshop"


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that is safe to show."""

    media_type: str
    data: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


class Studio:
    """Runs the child, few at once."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._places = asyncio.Semaphore(AT_ONCE)

    async def make(self, raw: bytes) -> dict[str, Made]:
        """`picture`, `favicon` and `touch_icon`. PictureRefused, also where the child died or was too
        slow.
        """
        async with self._places:
            out = await self._run(raw)
        try:
            answer = json.loads(out)
        except ValueError:
            raise PictureRefused("Looking at the picture takes more than a logo should need.") from None
        if "refused" in answer:
            raise PictureRefused(answer["refused"])
        return {
            file["role"]: Made(file["media_type"], base64.b64decode(file["data"])) for file in answer["files"]
        }

    async def _run(self, raw: bytes) -> bytes:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _CHILD,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={"PYTHONPATH": str(_ROOT)},
        )
        try:
            async with asyncio.timeout(self._timeout_s):
                out, _ = await child.communicate(raw)
        except TimeoutError:
            return b""
        finally:
            if child.returncode is None:
                with suppress(ProcessLookupError):
                    child.kill()
                await child.wait()
        return out
