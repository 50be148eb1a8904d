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

from training.card import Run, write_card
from training.cases import UNKNOWN
from training.compare import compare
from training.dataset import Batch, Sources, batches
from training.export import INPUT, export
from training.held_out import held_out
from training.net import CLASSES, MannequinNet
from training.photos import GARMENT
from training.street import load

FOLDER = Path(__file__).resolve().parents[1] / "services/inference/models/mannequin"
CHECKPOINT = Path(".mannequin/training/checkpoint.pt")
_COARSE = (256, 192)
_COARSE_SHARE = 0.65
"""The first part of the time goes to small pictures, which are quicker to draw and to learn from."""
_BATCH = 24
_PEAK_RATE = 2.5e-3
_EMA = 0.998
_SAVE_EVERY_S = 60.0
_COMPARED = 90
"""Held-out cases from which 8-bit ranges are taken, and as many on which the precisions are compared."""
_SMALL_LOSS = 0.003
"""Of the garment's IoU: the CPU runs 8 bits if they lose less."""


class Trainer:
    """State of a run; the moving average of the weights is what is shipped."""

    def __init__(self, minutes: float) -> None:
        torch.manual_seed(0)
        self.budget_s = minutes * 60
        # Channels last: a quarter less time on a CPU, and the layout in which pictures come.
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = MannequinNet().to(self.device, memory_format=torch.channels_last)
        self.average = MannequinNet().to(self.device)
        self.average.load_state_dict(self.net.state_dict())
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=_PEAK_RATE, weight_decay=1e-4)
        self.spent_s = 0.0
        self.seen = 0
        self.loss = 0.0

    def resume(self, path: Path) -> None:
        if path.exists():
            saved: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
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

    def step(self, batch: Batch) -> None:
        pictures, hints, classes, interior = (part.to(self.device) for part in batch)
        for group in self.optimiser.param_groups:
            group["lr"] = _rate(self.spent_s / self.budget_s)
        self.net.train()
        # Brain floats halve a step on CPUs and GPUs that have them; losses stay in full precision.
        with torch.autocast(self.device.type, torch.bfloat16):
            scores = self.net(pictures.permute(0, 3, 1, 2).float() / 255, hints)
        loss = loss_of(scores.float(), classes.long(), interior)
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


def loss_of(scores: Tensor, classes: Tensor, interior: Tensor) -> Tensor:
    """Of the classes everywhere they are known, and of the interior where it is."""
    return _classes_loss(scores[:, : len(CLASSES)], classes) + 0.5 * _interior_loss(
        scores[:, len(CLASSES)], interior
    )


def _classes_loss(scores: Tensor, classes: Tensor) -> Tensor:
    """Cross-entropy, three times as heavy next to a boundary, and soft Dice on the garment."""
    known = classes != UNKNOWN
    labels = f.one_hot(torch.where(known, classes, 0), len(CLASSES)).permute(0, 3, 1, 2).float()
    labels = labels * known[:, None]
    band = (f.max_pool2d(labels, 5, 1, 2).sum(1) > 1).float()
    entropy = f.cross_entropy(scores, classes, reduction="none", label_smoothing=0.02, ignore_index=UNKNOWN)
    garment, truth = torch.softmax(scores, 1)[:, GARMENT] * known, labels[:, GARMENT]
    return (entropy * (1 + 2 * band)).mean() + _dice(garment, truth).mean()


def _interior_loss(scores: Tensor, interior: Tensor) -> Tensor:
    """Four times binary cross-entropy and Dice, of the pictures whose interior is known."""
    drawn = (interior != UNKNOWN).float()
    truth = (interior == 1).float()
    entropy = f.binary_cross_entropy_with_logits(scores, truth, reduction="none")
    pictures = drawn.amax((1, 2))
    dice = _dice(torch.sigmoid(scores) * drawn, truth * drawn) * pictures
    pixels = drawn.sum().clamp(min=1)
    return 4 * (entropy * drawn).sum() / pixels + dice.sum() / pictures.sum().clamp(min=1)


def _dice(found: Tensor, truth: Tensor) -> Tensor:
    overlap = 2 * (found * truth).sum((1, 2)) + 1
    return 1 - overlap / (found.sum((1, 2)) + truth.sum((1, 2)) + 1)


def _rate(share: float) -> float:
    """Warm-up, then a cosine down to nothing."""
    share = min(share, 1.0)
    return _PEAK_RATE * min(1.0, share / 0.02 + 0.05) * (0.5 + 0.5 * math.cos(math.pi * share))


def run(minutes: float, workers: int, sources: Sources) -> Trainer:
    trainer = Trainer(minutes)
    trainer.resume(CHECKPOINT)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns) as bars:
        task = bars.add_task("training", total=trainer.budget_s, completed=round(trainer.spent_s))
        for share, size, count in ((_COARSE_SHARE, _COARSE, _BATCH), (1.0, INPUT, _BATCH // 2)):
            source = batches(sources, size, count, trainer.seen, workers)
            saved = time.monotonic()
            while trainer.spent_s < trainer.budget_s * share:
                began = time.monotonic()
                trainer.step(next(source))
                trainer.spent_s += time.monotonic() - began
                note = f"training: {trainer.seen:,} pictures, loss {trainer.loss:.3f}"
                bars.update(task, completed=trainer.spent_s, description=note)
                if time.monotonic() - saved > _SAVE_EVERY_S:
                    trainer.save(CHECKPOINT)
                    saved = time.monotonic()
    trainer.save(CHECKPOINT)
    return trainer


def publish(trainer: Trainer, sources: Sources, street: Path | None) -> Path:
    """Exports the averaged weights in every precision and writes the model's card; its folder."""
    cases = held_out(list(load(street, held_out=True)) if street else [], 2 * _COMPARED, INPUT)
    calibration, unseen = cases[::2], cases[1::2]
    files = export(trainer.average, FOLDER, calibration)
    found = compare(files, unseen)
    run = Run(
        parameters=sum(weights.numel() for weights in trainer.average.parameters()),
        pictures=trainer.seen,
        minutes=trainer.spent_s / 60,
        street=bool(sources.streets),
        garments=bool(sources.fabrics),
        device=trainer.device.type,
    )
    holds = found["fp32"].iou - found["int8"].iou < _SMALL_LOSS
    write_card(FOLDER, run, files, found, "int8" if holds else "fp32")
    return FOLDER


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=float, default=120)
    arguments.add_argument("--workers", type=int, default=1)
    arguments.add_argument("--street", type=Path, help="folder of Clothing Co-Parsing (left out: clean)")
    arguments.add_argument("--garments", type=Path, help="folder of clothing-dataset-small")
    arguments.add_argument("--fresh", action="store_true", help="forget the checkpoint")
    arguments.add_argument("--export-only", action="store_true", help="export the checkpoint as it is")
    given = arguments.parse_args()
    if given.fresh:
        CHECKPOINT.unlink(missing_ok=True)
    sources = Sources.of(given.street, given.garments)
    trainer = Trainer(given.minutes)
    if given.export_only:
        trainer.resume(CHECKPOINT)
    else:
        trainer = run(given.minutes, given.workers, sources)
    print(publish(trainer, sources, given.street))


if __name__ == "__main__":
    main()
