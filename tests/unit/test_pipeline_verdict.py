"""What is wrong with a result is named, and only that."""

from __future__ import annotations

import numpy as np

from libs.common.contracts.inference import Verdict
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.verdict import Reason, judge


def found(garment: float = 0.97, body: float = 0.01, rows: slice = slice(20, 80)) -> tuple[F32, U8]:
    """Probabilities and alpha of a block of garment in the middle of the frame."""
    maps = np.zeros((3, 100, 80), np.float32)
    maps[0] = 1
    maps[:, rows, 20:60] = np.array([1 - garment - body, garment, body], np.float32)[:, None, None]
    alpha = np.zeros((1000, 800), np.uint8)
    alpha[rows.start * 10 : rows.stop * 10, 200:600] = 255
    return maps, alpha


def test_a_clear_garment_is_publishable() -> None:
    """Sure, whole and without any body in it."""
    judgement = judge(*found())
    assert judgement.verdict is Verdict.PUBLISHABLE
    assert judgement.reasons == ()
    assert judgement.score > 0.95


def test_nothing_found_is_rejected() -> None:
    """An empty matte, or a speck of one."""
    maps, alpha = found()
    speck = np.zeros_like(alpha)
    speck[500:540, 400:440] = 255
    for empty in (np.zeros_like(alpha), speck):
        judgement = judge(maps, empty)
        assert (judgement.verdict, judgement.reasons) == (Verdict.REJECTED, (Reason.NO_GARMENT,))
        assert judgement.score == 0


def test_an_unsure_outline_needs_a_look() -> None:
    """Low probability of garment inside the matte."""
    judgement = judge(*found(garment=0.7))
    assert (judgement.verdict, judgement.reasons) == (Verdict.REVIEW, (Reason.LOW_CONFIDENCE,))


def test_a_garment_cut_by_the_frame_needs_a_look() -> None:
    """At the bottom here; any side counts."""
    maps, alpha = found(rows=slice(20, 100))
    assert judge(maps, alpha).reasons == (Reason.CUT_OFF_BY_FRAME,)
    turned = judge(np.ascontiguousarray(maps.transpose(0, 2, 1)), np.ascontiguousarray(alpha.T))
    assert turned.reasons == (Reason.CUT_OFF_BY_FRAME,)


def test_body_inside_the_matte_needs_a_look() -> None:
    """A tenth of the garment that may be mannequin; the score falls by that share."""
    maps, alpha = found()
    maps[:, 20:26, 20:60] = np.array([0.0, 0.6, 0.4], np.float32)[:, None, None]
    judgement = judge(maps, alpha)
    assert judgement.reasons == (Reason.RESIDUAL_MANNEQUIN,)
    assert judgement.score < 0.9
