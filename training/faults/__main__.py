"""Prints the table of the verdict's calibration. Ends with 1 if it misses its aims."""

from __future__ import annotations

import argparse
import sys

import cv2
import numpy as np

from services.inference.pipeline.decode import Picture
from services.inference.pipeline.segment import Maps, Segmenter, segment
from training.faults.calibration import Calibration, calibrate
from training.faults.trials import Look, Random, pretended
from training.photos import Drawn

FOUND, FALSE = 0.95, 0.05
"""Every fault is found at least that often, and a good result doubted less often than that."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seeds", type=int, default=100, help="photos to try; some two thirds are good")
    arguments.add_argument("--first", type=int, default=10_000, help="the first seed")
    arguments.add_argument(
        "--model", action="store_true", help="ask the built-in network, not a pretended one"
    )
    given = arguments.parse_args()
    cv2.setNumThreads(1)
    look = _network() if given.model else pretended
    calibration = calibrate(range(given.first, given.first + given.seeds), look)
    print("\n".join(calibration.lines()))
    sys.exit(not meets_aims(calibration))


def meets_aims(calibration: Calibration) -> bool:
    """Whether each fault is found often enough, and good results are left alone often enough."""
    shares = [count.share for count in calibration.faults.values() if count.planted]
    return min(shares, default=0.0) >= FOUND and calibration.good.share < FALSE


def _network() -> Look:
    from services.inference.renderer import OnnxRendererFactory  # only here: the rest needs no model

    sessions = OnnxRendererFactory(provider="cpu")().sessions

    def look(drawn: Drawn, _: Random) -> Maps:
        with sessions.lease(OnnxRendererFactory().model) as segmenter:
            return _answer(segmenter, drawn)

    return look


def _answer(segmenter: Segmenter, drawn: Drawn) -> Maps:
    return segment(Picture(np.ascontiguousarray(drawn.rgb)), segmenter)


if __name__ == "__main__":
    main()
