"""The program in the sandbox: looks at one model's graph, runs it on a test picture, prints what it found.

Run as a process of its own by `sandbox.py`, with the path of the file and its card on standard input. It
gives up what it does not need before it reads a byte of the file.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

MEMORY = 4 * 1024**3
CPU_S = 120
MOST_RUN_MS = 8_000
MOST_RUN_MIB = 2_048
_CLONE_NEWUSER, _CLONE_NEWNET, _NO_NEW_PRIVILEGES = 0x10000000, 0x40000000, 38


def main() -> None:
    """Prints one JSON object: `ok`, and either what was measured or `reason`."""
    asked = json.loads(sys.stdin.read())
    _give_up_rights()
    found: dict[str, Any]
    try:
        found = {"ok": True, **_examined(Path(asked["path"]), asked["card"])}
    except MemoryError:
        found = {"ok": False, "reason": "The model takes more memory than is given to one."}
    except Exception as error:  # noqa: BLE001  # whatever a model does, it ends as a refusal
        found = {"ok": False, "reason": _reason(error)}
    sys.stdout.write(json.dumps(found))


def _give_up_rights() -> None:
    """No network, no files beyond a few, no more privileges, bounded memory and time."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    flags = _CLONE_NEWNET if os.geteuid() == 0 else _CLONE_NEWNET | _CLONE_NEWUSER
    libc.unshare(flags)  # where the kernel allows it; the limits below hold everywhere
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        with suppress(ValueError, OSError):
            resource.setrlimit(what, (most, most))


def _examined(path: Path, card: dict[str, Any]) -> dict[str, Any]:
    from services.inference.custom.graph import examine_graph
    from services.inference.models.card import ModelCard
    from services.inference.models.registry import Model

    opset = examine_graph(path)
    content = path.read_bytes()
    file = {"file": "model.onnx", "sha256": hashlib.sha256(content).hexdigest()}
    model = Model(ModelCard.model_validate({**card, "files": {"fp32": file}}), content)
    before = _peak_mib()
    run_ms = _run(model)
    return {"opset": opset, "run_ms": run_ms, "memory_mib": max(1, _peak_mib() - before)}


def _run(model: Any) -> int:
    """Milliseconds of one picture on one core, the quicker of two. ValueError for what can't be used."""
    import numpy as np

    from services.inference.models.sessions import open_session
    from services.inference.pipeline.segment import Hint

    segmenter = open_session(model, "cpu")
    height, width = segmenter.input_size
    noise = np.random.default_rng(1).integers(0, 256, (1, height, width, 3), np.uint8)
    times = []
    for _ in range(2):
        started = time.perf_counter()
        maps = segmenter.maps(noise, [Hint.AUTO])
        times.append(time.perf_counter() - started)
    if not np.isfinite(maps).all():
        raise ValueError("The model gives values that are no numbers.")
    run_ms = max(1, round(min(times) * 1000))
    if run_ms > MOST_RUN_MS or _peak_mib() > MOST_RUN_MIB:
        taken, given = f"{run_ms} ms and {_peak_mib()} MiB", f"{MOST_RUN_MS} and {MOST_RUN_MIB}"
        raise ValueError(f"One picture takes {taken}; at most {given} are given.")
    return run_ms


def _peak_mib() -> int:
    """Of this program alone: what getrusage tells also counts the worker that it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) // 1024


def _reason(error: Exception) -> str:
    """In words for the sender: of our own errors the text, of others the kind."""
    from services.inference.custom.graph import GraphRefused
    from services.inference.errors import ModelRefused

    text = " ".join(str(error).split())[:600]
    known = isinstance(error, GraphRefused | ModelRefused | ValueError)
    return text if known else f"The model could not be tried: {type(error).__name__}."


if __name__ == "__main__":
    main()
