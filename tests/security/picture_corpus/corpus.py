"""All cases, in the order of their formats."""

from __future__ import annotations

from functools import cache

from tests.security.picture_corpus import heifs, jpegs, pngs, strangers, tiffs, webps
from tests.security.picture_corpus.case import Case

PARTS = {"jpeg": jpegs, "png": pngs, "webp": webps, "tiff": tiffs, "heif": heifs, "strangers": strangers}


@cache
def part(name: str) -> tuple[Case, ...]:
    """The cases of one of `PARTS`."""
    return tuple(PARTS[name].cases())


def corpus() -> tuple[Case, ...]:
    """Every case; no two have the same name."""
    return tuple(case for name in PARTS for case in part(name))
