"""Training pictures, drawn as they are needed: none is ever seen twice."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from training.photos import training_photo

EVALUATION_SEEDS = 1_000_000_000
"""Seeds from here on are kept for evaluation."""


class Photos(IterableDataset[tuple[Tensor, Tensor]]):
    """Pictures (uint8 [H,W,3]) with their classes at half the size; `first` is where the seeds begin."""

    def __init__(self, size: tuple[int, int], first: int) -> None:
        self._size = size
        self._first = first

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = get_worker_info()
        step = worker.num_workers if worker else 1
        seed = self._first + (worker.id if worker else 0)
        while True:
            rgb, classes = training_photo(seed, self._size)
            if seed % 2:
                rgb, classes = rgb[:, ::-1], classes[:, ::-1]
            yield torch.from_numpy(np.ascontiguousarray(rgb)), torch.from_numpy(halved(classes))
            seed += step


def halved(
    classes: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Classes at half the size, by the majority of each block of four."""
    size = (classes.shape[1] // 2, classes.shape[0] // 2)
    shares = [
        cv2.resize((classes == label).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        for label in range(3)
    ]
    return np.argmax(np.stack(shares), 0).astype(np.int64)


def batches(size: tuple[int, int], batch: int, first: int, workers: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches, drawn by `workers` processes."""
    loader = DataLoader(
        Photos(size, first), batch, num_workers=workers, prefetch_factor=4, worker_init_fn=_quiet
    )
    return iter(loader)


def _quiet(_: int) -> None:
    cv2.setNumThreads(1)
