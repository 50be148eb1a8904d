"""What a program prints that never said how it wants to log."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from libs.common.telemetry import logger

def fails(secret):
    try:
        raise ValueError("it went wrong")
    except ValueError:
        logger("test").exception("failed")

fails("hidden" + "-in-a-local")
"""


def test_a_traceback_has_no_local_variables() -> None:
    """They hold secrets, and structlog's own default prints them."""
    ended = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    printed = ended.stdout + ended.stderr
    assert "it went wrong" in printed
    assert "hidden-in-a-local" not in printed
