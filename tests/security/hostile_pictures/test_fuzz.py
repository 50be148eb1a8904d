"""Files of the corpus, mutated. `python -m tests.security.fuzz_pictures` goes on for as long as one likes."""

from __future__ import annotations

import os
import resource

import pytest

from tests.security.fuzz_pictures import fuzz, mutant
from tests.security.guard import Guard

_SECONDS = 6
_MEBIBYTE = 1 << 20


def test_mutated_pictures_never_crash_hang_or_take_too_much_memory() -> None:
    """The same ones each time, as many as fit into some seconds; a seed named here can be run alone."""
    findings = fuzz(range(20_000), _SECONDS)
    assert not findings.bad, f"python -m tests.security.fuzz_pictures --seed …: {findings.bad}"
    assert findings.outcomes.total() > 50
    assert len(findings.outcomes) > 3


def test_a_seed_gives_the_same_file_each_time() -> None:
    """Else a finding could not be looked into."""
    assert [mutant(seed) for seed in range(40)] == [mutant(seed) for seed in range(40)]


def _misbehaving(data: bytes) -> str:
    if data == b"crash":
        os.abort()
    if data == b"hang":
        resource.getrusage(resource.RUSAGE_SELF)
        while True:
            pass
    if data == b"eat":
        return str(len(bytearray(64 * _MEBIBYTE)))
    if data == b"devour":
        return str(len(bytearray(1_024 * _MEBIBYTE)))
    if data == b"raise":
        raise ZeroDivisionError
    return "fine"


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"", "fine"),
        (b"crash", "crash with status -6"),
        (b"hang", "hang"),
        (b"raise", "exception ZeroDivisionError()"),
        (b"devour", "exception MemoryError()"),
    ],
)
def test_the_guard_sees_what_it_is_there_for(data: bytes, outcome: str) -> None:
    """And goes on with the next file in a new child."""
    with Guard(_misbehaving, memory=128 * _MEBIBYTE, seconds=2) as guard:
        assert guard.run(data).outcome == outcome
        assert guard.run(b"").outcome == "fine"


def test_the_guard_measures_memory() -> None:
    """Also what is given back before the end."""
    with Guard(_misbehaving, memory=128 * _MEBIBYTE, seconds=5) as guard:
        assert guard.run(b"").growth < 8 * _MEBIBYTE
        assert 60 * _MEBIBYTE < guard.run(b"eat").growth < 80 * _MEBIBYTE
