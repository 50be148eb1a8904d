"""Mutated pictures against the decoder: `python -m tests.security.fuzz_pictures --minutes 5`, or `--seed N`.

A seed gives the same file each time (with the same encoders); what is found is named by its seed.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from time import monotonic

from services.inference.pipeline.limits import DECODE_MEMORY
from tests.security.guard import Guard, Report
from tests.security.outcomes import OUTCOMES, decoded
from tests.security.picture_corpus.corpus import corpus

SECONDS = 30
"""For one picture, on a busy machine."""
_LARGEST = 60_000
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)
_PNG = b"\x89PNG"

Mutation = Callable[[bytes, random.Random], bytes]


@dataclass(slots=True)
class Findings:
    """Outcomes counted, and what must not be, by seed."""

    outcomes: Counter[str] = field(default_factory=Counter)
    bad: dict[int, str] = field(default_factory=dict)
    slowest: float = 0.0
    largest: int = 0

    def add(self, seed: int, report: Report) -> None:
        self.outcomes[report.outcome if report.outcome in OUTCOMES else "BAD"] += 1
        self.slowest, self.largest = max(self.slowest, report.seconds), max(self.largest, report.growth)
        if report.outcome not in OUTCOMES:
            self.bad[seed] = report.outcome
        elif report.growth > DECODE_MEMORY:
            self.bad[seed] = f"{report.outcome} with {report.growth >> 20} MiB"


def mutant(seed: int) -> bytes:
    """A file of the corpus, changed one to four times."""
    rng = random.Random(seed)
    data = rng.choice(_seeds())
    for _ in range(rng.choice((1, 1, 2, 4))):
        data = rng.choice(_MUTATIONS)(data, rng)
    return _mended(data) if data.startswith(_PNG) and rng.random() < 0.7 else data


def fuzz(seeds: Iterable[int], seconds: float) -> Findings:
    """Runs as many as fit into the time, counted from when all is ready."""
    findings = Findings()
    with Guard(decoded, memory=DECODE_MEMORY, seconds=SECONDS) as guard:
        guard.run(mutant(0))  # which makes the corpus and starts the child
        end = monotonic() + seconds
        for seed in seeds:
            if monotonic() > end:
                break
            findings.add(seed, guard.run(mutant(seed)))
    return findings


@cache
def _seeds() -> tuple[bytes, ...]:
    made = (case.make() for case in corpus())
    return tuple(data for data in made if 0 < len(data) <= _LARGEST)


def _flip(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 8, 32)) if changed else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _flip_head(data: bytes, rng: random.Random) -> bytes:
    """Where the lengths and sizes are."""
    return _flip(data[:200], rng) + data[200:]


def _number(data: bytes, rng: random.Random) -> bytes:
    """A length or a size that lies."""
    code = rng.choice(("B", ">H", "<H", ">I", "<I"))
    size = struct.calcsize(code)
    value = rng.choice(_INTERESTING) & ((1 << 8 * size) - 1)
    at = rng.randrange(max(1, min(len(data), rng.choice((64, 400, len(data) or 1)))))
    return data[:at] + struct.pack(code, value) + data[at + size :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _drop(data: bytes, rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + data[end:]


def _repeat(data: bytes, rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 2, 50)) + data[end:]


def _swap(data: bytes, rng: random.Random) -> bytes:
    """Two neighbouring stretches change places."""
    start, end = _span(data, rng)
    middle = rng.randint(start, end)
    return data[:start] + data[middle:end] + data[start:middle] + data[end:]


def _noise(data: bytes, rng: random.Random) -> bytes:
    start, end = _span(data, rng)
    return data[:start] + rng.randbytes(rng.randrange(64)) + data[end:]


def _splice(data: bytes, rng: random.Random) -> bytes:
    """The head of one file, the tail of another."""
    other = rng.choice(_seeds())
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other)) :]


def _graft(data: bytes, rng: random.Random) -> bytes:
    """A stretch of another file in the middle."""
    other = rng.choice(_seeds())
    start, end = _span(other, rng)
    at = rng.randrange(len(data) + 1)
    return data[:at] + other[start:end] + data[at:]


_MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _flip_head,
    _number,
    _number,
    _cut,
    _drop,
    _repeat,
    _swap,
    _noise,
    _splice,
    _graft,
)


def _span(data: bytes, rng: random.Random) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + rng.choice((1, 4, 16, 200, 2_000)))


def _mended(data: bytes) -> bytes:
    """A PNG with its checksums right again: else no mutation gets past them."""
    at, parts = 8, [data[:8]]
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        parts += [data[at:end], struct.pack(">I", zlib.crc32(data[at + 4 : end]))]
        at = end + 4
    return b"".join(parts)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--start", type=int, default=None, help="first seed (default: a new one)")
    parser.add_argument("--seed", type=int, default=None, help="run this one alone")
    return parser.parse_args()


def _lines(findings: Findings) -> Iterator[str]:
    yield f"{findings.outcomes.total()} pictures: {dict(findings.outcomes.most_common())}"
    yield f"slowest {findings.slowest:.1f} s, most memory {findings.largest >> 20} MiB"
    yield from (f"seed {seed}: {what}" for seed, what in findings.bad.items())


def main() -> int:
    asked = _arguments()
    start = asked.start if asked.start is not None else random.SystemRandom().randrange(1 << 48)
    seeds: Iterable[int] = [asked.seed] if asked.seed is not None else count(start)
    findings = fuzz(seeds, asked.minutes * 60)
    sys.stdout.write("\n".join(_lines(findings)) + "\n")
    return 1 if findings.bad else 0


if __name__ == "__main__":
    sys.exit(main())
