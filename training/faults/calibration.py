"""How often the verdict finds each planted fault, and how often it doubts a good result."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from services.inference.pipeline.verdict import Judgement, Reason
from training.faults.photo import PHOTO_FAULTS
from training.faults.result import RESULT_FAULTS
from training.faults.trials import PHOTO, Look, Plant, Trial, good_trial

FAULTS: dict[str, Plant] = {**PHOTO_FAULTS, **RESULT_FAULTS}
"""Each fault's name and how it is planted. The name is the verdict's code, or begins with it and a colon."""
_CODES = {"residual": {Reason.RESIDUAL_MANNEQUIN, Reason.RESIDUAL_SKIN}}
"""Whether skin or a shell was left is told by its colour, which the drawn truth does not know."""


@dataclass
class Count:
    """`found` of `planted`; for good results, the doubted ones."""

    planted: int = 0
    found: int = 0
    missed: list[int] = field(default_factory=list)

    def add(self, seed: int, *, found: bool) -> None:
        self.planted += 1
        self.found += found
        if not found:
            self.missed.append(seed)

    @property
    def share(self) -> float:
        return self.found / self.planted if self.planted else 0.0


@dataclass
class Calibration:
    """Counts of each fault and of good results, and by which codes good ones were doubted."""

    faults: dict[str, Count] = field(default_factory=lambda: {name: Count() for name in FAULTS})
    good: Count = field(default_factory=Count)
    doubts: dict[str, list[int]] = field(default_factory=dict)

    def overall(self) -> float:
        """Share of all planted faults that is found."""
        planted = sum(count.planted for count in self.faults.values())
        return sum(count.found for count in self.faults.values()) / max(1, planted)

    def lines(self) -> Iterator[str]:
        """The table, for a person."""
        yield f"{'fault':30} {'planted':>8} {'found':>7}   missed seeds"
        for name, count in self.faults.items():
            missed = " ".join(map(str, count.missed[:8]))
            yield f"{name:30} {count.planted:8} {count.share:7.1%}   {missed}"
        planted = sum(count.planted for count in self.faults.values())
        yield f"{'all faults':30} {planted:8} {self.overall():7.1%}"
        yield f"{'false alarms on good results':30} {self.good.planted:8} {self.good.share:7.1%}"
        for code, seeds in self.doubts.items():
            yield f"    {code:26} {'':8} {len(seeds):7}   {' '.join(map(str, seeds[:8]))}"


def calibrate(seeds: Iterable[int], look: Look, size: tuple[int, int] = PHOTO) -> Calibration:
    """Plants every fault into the good results among these seeds, one at a time. size: height, width."""
    calibration = Calibration()
    for seed in seeds:
        trial = good_trial(seed, look, size)
        if trial is None:
            continue
        _count_good(calibration, seed, trial.judged())
        for number, (name, plant) in enumerate(FAULTS.items()):
            _plant(
                calibration.faults[name],
                name,
                seed,
                plant(trial, np.random.default_rng([5, seed, number]), look),
            )
    return calibration


def _count_good(calibration: Calibration, seed: int, judgement: Judgement) -> None:
    calibration.good.add(seed, found=bool(judgement.found))
    for reason in judgement.reasons:
        calibration.doubts.setdefault(reason.value, []).append(seed)


def _plant(count: Count, name: str, seed: int, faulty: Trial | None) -> None:
    if faulty is None:
        return
    code = name.partition(":")[0]
    wanted = _CODES.get(code) or {Reason(code)}
    count.add(seed, found=bool(wanted & set(faulty.judged().reasons)))
