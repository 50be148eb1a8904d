"""A file of the corpus: its name, how it is made, and what has to come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.inference.errors import RefusalCode
from tests.security.picture_corpus.scene import CORNERS, HEIGHT, WIDTH, Corners

Make = Callable[[], bytes]
"""Gives the same bytes each time."""


@dataclass(frozen=True, slots=True)
class Shows:
    """A picture of width × height px with these colours in its quarters, top left to bottom right.

    `tolerance`: by how much a channel of a quarter's mean may be off. `alpha`: whether it has its own.
    """

    width: int = WIDTH
    height: int = HEIGHT
    corners: Corners | None = CORNERS
    tolerance: float = 6
    alpha: bool = False

    def __str__(self) -> str:
        colours = (
            "colours kept" if self.corners is CORNERS else "other colours" if self.corners else "any colours"
        )
        return f"{self.width}×{self.height}, {colours}{', alpha' if self.alpha else ''}"


@dataclass(frozen=True, slots=True)
class Case:
    """`how` is a sentence's worth of what was done."""

    name: str
    how: str
    make: Make
    expected: Shows | RefusalCode
