"""What batches bring on this machine: one core's milliseconds a picture alone and in eights."""

from __future__ import annotations

import time
from collections.abc import Sequence
from statistics import median

import numpy as np

from bench.engine.photos import Studio
from services.inference.models.providers import Tuning
from services.inference.models.registry import load_model
from services.inference.models.sessions import OnnxSegmenter, open_session
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import decode
from services.inference.pipeline.segment import Hint, letterbox

EIGHT = 8
_ROUNDS = 5


def measure(photos: Sequence[Studio]) -> dict[str, float]:
    """The network alone, on the CPU; decoding and refinement are one picture's in any case."""
    alone, together = (
        open_session(load_model(), "cpu", tuning=Tuning(max_batch=size)) for size in (1, EIGHT)
    )
    sheets = np.stack([letterbox(decode(photo.data).rgb, *alone.input_size)[0] for photo in photos[:EIGHT]])
    batch = np.resize(sheets, (EIGHT, *sheets.shape[1:]))
    return {
        "ms_network_alone": median(_ms_a_picture(alone, batch) for _ in range(_ROUNDS)),
        "ms_network_in_eights": median(_ms_a_picture(together, batch) for _ in range(_ROUNDS)),
    }


def _ms_a_picture(segmenter: OnnxSegmenter, batch: U8) -> float:
    began = time.perf_counter()
    segmenter.maps(batch, [Hint.AUTO] * len(batch))
    return (time.perf_counter() - began) * 1000 / len(batch)
