"""`make model`: train the built-in model and export it. Stopped anywhere, it goes on from its checkpoint."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import torch
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor
from torch.nn import functional as f

from training.dataset import batches
from training.export import INPUT, export
from training.net import MannequinNet

CHECKPOINT = Path(".mannequin/training/checkpoint.pt")
_COARSE = (256, 192)
_COARSE_SHARE = 0.75
"""The first part of the time goes to small pictures, which are quicker to draw and to learn from."""
_BATCH = 16
_PEAK_RATE = 2.5e-3
_EMA = 0.998
_SAVE_EVERY_S = 60.0


class Trainer:
    """State of a run; the moving average of the weights is what is shipped."""

    def __init__(self, minutes: float) -> None:
        torch.manual_seed(0)
        self.budget_s = minutes * 60
        # Channels last: a quarter less time on a CPU, and the layout in which pictures come.
        self.net = MannequinNet().to(memory_format=torch.channels_last)
        self.average = MannequinNet()
        self.average.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=_PEAK_RATE, weight_decay=1e-4)
        self.spent_s = 0.0
        self.seen = 0
        self.loss = 0.0

    def resume(self, path: Path) -> None:
        if path.exists():
            saved: dict[str, Any] = torch.load(path, weights_only=True)
            self.net.load_state_dict(saved["net"])
            self.average.load_state_dict(saved["average"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.spent_s, self.seen = saved["spent_s"], saved["seen"]

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_suffix(".part")
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "spent_s": self.spent_s,
            "seen": self.seen,
        }
        torch.save(state, draft)
        draft.replace(path)

    def step(self, pictures: Tensor, classes: Tensor) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = _rate(self.spent_s / self.budget_s)
        self.net.train()
        scores = self.net(pictures.permute(0, 3, 1, 2).float() / 255)
        loss = loss_of(scores, classes)
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimiser.step()
        self._average()
        self.seen += len(pictures)
        self.loss += 0.02 * (float(loss.detach()) - self.loss)

    def _average(self) -> None:
        decay = min(_EMA, self.seen / (self.seen + 500))
        with torch.no_grad():
            pairs = zip(self.average.state_dict().values(), self.net.state_dict().values(), strict=True)
            for mean, new in pairs:
                if mean.is_floating_point():
                    mean.lerp_(new, 1 - decay)
                else:
                    mean.copy_(new)


def loss_of(scores: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy, three times as heavy next to a boundary, and soft Dice on the garment."""
    labels = f.one_hot(classes, 3).permute(0, 3, 1, 2).float()
    grown = f.max_pool2d(labels, 5, 1, 2)
    band = (grown.sum(1) > 1).float()
    entropy = f.cross_entropy(scores, classes, reduction="none", label_smoothing=0.02)
    garment, truth = torch.softmax(scores, 1)[:, 1], labels[:, 1]
    overlap = 2 * (garment * truth).sum((1, 2)) + 1
    dice = 1 - overlap / (garment.sum((1, 2)) + truth.sum((1, 2)) + 1)
    return (entropy * (1 + 2 * band)).mean() + dice.mean()


def _rate(share: float) -> float:
    """Warm-up, then a cosine down to nothing."""
    share = min(share, 1.0)
    return _PEAK_RATE * min(1.0, share / 0.02 + 0.05) * (0.5 + 0.5 * math.cos(math.pi * share))


def run(minutes: float, workers: int) -> Trainer:
    trainer = Trainer(minutes)
    trainer.resume(CHECKPOINT)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns) as bars:
        task = bars.add_task("training", total=trainer.budget_s, completed=round(trainer.spent_s))
        for share, size in ((_COARSE_SHARE, _COARSE), (1.0, INPUT)):
            source = batches(size, _BATCH, trainer.seen, workers)
            saved = time.monotonic()
            while trainer.spent_s < trainer.budget_s * share:
                began = time.monotonic()
                trainer.step(*next(source))
                trainer.spent_s += time.monotonic() - began
                note = f"training: {trainer.seen:,} pictures, loss {trainer.loss:.3f}"
                bars.update(task, completed=trainer.spent_s, description=note)
                if time.monotonic() - saved > _SAVE_EVERY_S:
                    trainer.save(CHECKPOINT)
                    saved = time.monotonic()
    trainer.save(CHECKPOINT)
    return trainer


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=30)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--fresh", action="store_true", help="forget the checkpoint")
    arguments.add_argument("--export-only", action="store_true", help="export the checkpoint as it is")
    given = arguments.parse_args()
    if given.fresh:
        CHECKPOINT.unlink(missing_ok=True)
    trainer = Trainer(given.minutes)
    if given.export_only:
        trainer.resume(CHECKPOINT)
    else:
        trainer = run(given.minutes, given.workers)
    print(export(trainer.average, trainer.seen))


if __name__ == "__main__":
    main()
