"""Faults planted one by one into good results are found, and good results are left alone."""

from __future__ import annotations

import pytest

from training.faults.calibration import FAULTS, Calibration, calibrate
from training.faults.trials import pretended

SEEDS = range(500, 508)
SIZE = (480, 360)


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    """Of a small fixed set; `python -m training.faults` draws a larger one."""
    return calibrate(SEEDS, pretended, SIZE)


def test_planted_faults_are_found(calibration: Calibration) -> None:
    """95 % of all, and of each kind all but one at most."""
    assert calibration.good.planted >= len(SEEDS) / 2
    assert calibration.overall() >= 0.95
    for name, count in calibration.faults.items():
        assert count.planted >= 3, name
        assert len(count.missed) <= 1, (name, count.missed)


def test_good_results_are_left_alone(calibration: Calibration) -> None:
    """One in the small set at most."""
    assert calibration.good.found <= 1, calibration.doubts


def test_every_fault_is_planted(calibration: Calibration) -> None:
    """Of those that the verdict knows, but for an empty photo and a shop's requirements."""
    assert set(calibration.faults) == set(FAULTS)
    assert len(list(calibration.lines())) >= len(FAULTS) + 3
