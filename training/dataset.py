"""Training pictures without end: drawn ones, real people as they are, and real people put elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from training.augment import augmented
from training.cases import HINTS, Case, halved
from training.composites import street_case, studio_case
from training.fabrics import dressed, load_fabrics
from training.photos import sample_photo, training_photo
from training.photos.arrays import Bytes
from training.street import Street, load

EVALUATION_SEEDS = 1_000_000_000
"""Seeds of drawn pictures from here on are kept for evaluation."""

_DRAWN_SIZE = (384, 320)
_ECHOES = 3
"""Variants made of a drawn picture: drawing costs several times what a variant does (Choi et al., 2019)."""
_POOL = 64
_TIDY = 0.15
"""Share of drawn pictures in the careful light of a studio, which take three times as long."""
_SHOWN_SEEDS = 10_000
"""Seeds below are what the demonstration shows: none of them is learnt."""
Batch = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Sources:
    """What the pictures are made of. Without `streets` ("clean") every picture is drawn."""

    streets: list[Street] = field(default_factory=list)
    fabrics: list[Bytes] = field(default_factory=list)

    @classmethod
    def of(cls, street: Path | None, garments: Path | None) -> Sources:
        return cls(
            list(load(street, held_out=False)) if street else [],
            load_fabrics(garments) if garments else [],
        )


class Cases:
    """Endless cases of one worker, in a random order that `first` decides."""

    def __init__(self, sources: Sources, first: int, step: int) -> None:
        self._sources = sources
        self._rng = np.random.default_rng([11, first])
        self._seed, self._step = first, step
        self._pool: list[Case] = []

    def next(self) -> Case:
        sort = self._rng.random()
        case: Case | None = None
        if self._sources.streets and sort < 0.66:
            case = self._studio() if sort < 0.33 else street_case(self._rng, self._street())
        return case or self._drawn()

    def _street(self) -> Street:
        return self._sources.streets[int(self._rng.integers(len(self._sources.streets)))]

    def _studio(self) -> Case | None:
        return studio_case(self._rng, self._street(), self._street())

    def _drawn(self) -> Case:
        if len(self._pool) < _POOL:
            self._pool += [self._draw()] * _ECHOES
        return self._pool.pop(int(self._rng.integers(len(self._pool))))

    def _draw(self) -> Case:
        tidy = self._rng.random() < _TIDY
        draw = sample_photo if tidy else training_photo
        rgb, classes, interior, hint = draw(_SHOWN_SEEDS + self._seed, _DRAWN_SIZE)
        self._seed += self._step
        case = Case(rgb, classes, interior, hint if self._rng.random() < 0.4 else "auto")
        if self._sources.fabrics and self._rng.random() < 0.4:
            fabric = self._sources.fabrics[int(self._rng.integers(len(self._sources.fabrics)))]
            case = dressed(self._rng, case, fabric)
        return case


class Photos(IterableDataset[Batch]):
    """uint8 pictures [H,W,3], hints, and classes and interior at half the size."""

    def __init__(self, sources: Sources, size: tuple[int, int], first: int) -> None:
        self._sources = sources
        self._size = size
        self._first = first

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        index, step = (worker.id, worker.num_workers) if worker else (0, 1)
        cases = Cases(self._sources, self._first + index, step)
        rng = np.random.default_rng([12, self._first, index])
        while True:
            case = augmented(rng, cases.next(), self._size)
            yield (
                torch.from_numpy(np.ascontiguousarray(case.rgb)),
                torch.tensor(HINTS.index(case.hint)),
                torch.from_numpy(halved(case.classes)),
                torch.from_numpy(np.ascontiguousarray(case.interior[::2, ::2])),
            )


def batches(sources: Sources, size: tuple[int, int], batch: int, first: int, workers: int) -> Iterator[Batch]:
    """Endless batches, made by `workers` processes."""
    loader = DataLoader(
        Photos(sources, size, first), batch, num_workers=workers, prefetch_factor=6, worker_init_fn=_quiet
    )
    return iter(loader)


def _quiet(_: int) -> None:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
