"""How far the precisions of a model are from the full one, how well they see and how fast they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime as ort

from training.cases import UNKNOWN, Case, halved
from training.export import feed
from training.photos import GARMENT

_PLANES = 4


@dataclass(frozen=True)
class Comparison:
    """Of one precision. Differences are of probabilities, against fp32; `iou` is of the garment.

    `same_class` is the share of pixels with fp32's class, `ms` the time of a picture on one core.
    """

    megabytes: float
    largest_difference: float
    mean_difference: float
    same_class: float
    iou: float
    ms: float


def compare(paths: Mapping[str, Path], cases: Sequence[Case]) -> dict[str, Comparison]:
    """All precisions on the same letterboxed cases."""
    answers = {name: _answers(path, cases) for name, path in paths.items()}
    full = answers["fp32"][0]
    return {name: _comparison(paths[name], maps, full, cases, ms) for name, (maps, ms) in answers.items()}


def _answers(path: Path, cases: Sequence[Case]) -> tuple[np.ndarray, float]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    session.run(None, feed(cases[0]))
    maps, times = [], []
    for case in cases:
        began = perf_counter()
        maps.append(session.run(None, feed(case))[0][0])
        times.append(perf_counter() - began)
    return np.stack(maps), float(np.median(times)) * 1000


def _comparison(
    path: Path, maps: np.ndarray, full: np.ndarray, cases: Sequence[Case], ms: float
) -> Comparison:
    difference = np.abs(maps - full)
    labels = maps[:, :_PLANES].argmax(1)
    return Comparison(
        megabytes=round(path.stat().st_size / 1e6, 2),
        largest_difference=round(float(difference.max()), 4),
        mean_difference=round(float(difference.mean()), 6),
        same_class=round(float((labels == full[:, :_PLANES].argmax(1)).mean()), 5),
        iou=round(float(np.mean([_iou(found, case) for found, case in zip(labels, cases, strict=True)])), 4),
        ms=round(ms, 1),
    )


def _iou(found: np.ndarray, case: Case) -> float:
    truth = halved(case.classes)
    known = truth != UNKNOWN
    one, other = (found == GARMENT) & known, truth == GARMENT
    union = int((one | other).sum())
    return float((one & other).sum() / union) if union else 1.0
