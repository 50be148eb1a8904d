"""Looking at a tenant's model in a process with nothing to lose: no secrets, no network, bounded in all."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel

LIMIT_S = 180.0
_ANSWER_BYTES = 64 * 1024


class Findings(BaseModel):
    """What the sandbox says of a model. `reason`: why it is refused, if it is."""

    ok: bool
    opset: int | None = None
    run_ms: int | None = None
    memory_mib: int | None = None
    reason: str | None = None


async def examine(path: Path, card: dict[str, Any], *, limit_s: float = LIMIT_S) -> Findings:
    """Look at the model in the file. One that kills its process, or takes too long, is refused."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-I",
        "-m",
        "services.inference.custom.examine",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=path.parent,
        env={"PATH": os.defpath, "OMP_NUM_THREADS": "1"},
    )
    try:
        async with asyncio.timeout(limit_s):
            answer, _ = await process.communicate(json.dumps({"path": str(path), "card": card}).encode())
    except TimeoutError:
        return Findings(ok=False, reason="Looking at the model took too long.")
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode or len(answer) > _ANSWER_BYTES:
        return Findings(ok=False, reason="The model ended the process that looked at it.")
    return Findings.model_validate_json(answer)
