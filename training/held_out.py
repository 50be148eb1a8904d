"""Cases that no training sees: held-out streets, their people before other grounds, and drawn photos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.cases import Case, letterboxed
from training.composites import street_case, studio_case
from training.dataset import EVALUATION_SEEDS
from training.photos import training_photo
from training.street import Street


def held_out(streets: Sequence[Street], count: int, size: tuple[int, int]) -> list[Case]:
    """`count` letterboxed cases or a few less; drawn ones alone without streets."""
    rng = np.random.default_rng(EVALUATION_SEEDS)
    cases = [_case(rng, streets, index, size) for index in range(count)]
    return [letterboxed(case, size) for case in cases if case is not None]


def _case(
    rng: np.random.Generator, streets: Sequence[Street], index: int, size: tuple[int, int]
) -> Case | None:
    if not streets or index % 3 == 0:
        return Case(*training_photo(EVALUATION_SEEDS + index, size))
    street = streets[index % len(streets)]
    if index % 3 == 1:
        return street_case(rng, street)
    return studio_case(rng, street, streets[(index * 7) % len(streets)])
