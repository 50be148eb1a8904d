"""What is not good enough is tried once more in another way, and the better result is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from libs.common.contracts.inference import Verdict
from libs.common.contracts.options import GarmentChoice, RenderOptions
from services.inference.pipeline.arrays import F32, U8
from services.inference.pipeline.decode import Picture
from services.inference.pipeline.render import render
from services.inference.pipeline.second_look import likely_hint, look_again
from services.inference.pipeline.segment import Hint, Maps, segment
from services.inference.pipeline.verdict import Found, Judgement, Reason
from tests.unit.picture_samples import ColourSegmenter, draw_photo, encoded

PHOTO = encoded(draw_photo(300, 400), "PNG")


class Recorded(ColourSegmenter):
    """Is as sure as it is told: first without a hint, then with one. Remembers what it was asked."""

    def __init__(self, *sureness: float) -> None:
        super().__init__()
        self._each = sureness
        self.hints: list[Hint] = []
        self.sheets: list[U8] = []

    def maps(self, batch: U8, hints: Sequence[Hint]) -> F32:
        self._sureness = self._each[0 if hints[0] is Hint.AUTO else -1]
        self.hints.extend(hints)
        self.sheets.append(batch[0])
        return super().maps(batch, hints)


def looked_at(photo: U8, *reasons: Reason, hint: Hint = Hint.AUTO) -> tuple[Recorded, Maps, Maps | None]:
    """A photo's first maps, and those after a result with these reasons."""
    segmenter = Recorded(0.98)
    first = segment(Picture(photo), segmenter, hint)
    segmenter.sheets.clear()
    segmenter.hints.clear()
    judgement = Judgement(Verdict.REVIEW, 0.5, tuple(Found(reason, "") for reason in reasons))
    return segmenter, first, look_again(Picture(photo), segmenter, hint, first, judgement)


def test_a_good_result_is_not_tried_again() -> None:
    """One attempt, and no time for another."""
    result = render(PHOTO, RenderOptions(), Recorded(0.98))
    assert (result.verdict, result.attempts) == (Verdict.PUBLISHABLE, 1)
    assert "second_try" not in result.timings


def test_the_better_of_two_results_is_kept() -> None:
    """Whichever of them it is."""
    sure = render(PHOTO, RenderOptions(), Recorded(0.98))
    for answers in ((0.7, 0.98), (0.7, 0.6)):
        segmenter = Recorded(*answers)
        result = render(PHOTO, RenderOptions(), segmenter)
        assert result.attempts == 2
        assert result.timings["second_try"] > 0
        better = answers[1] > answers[0]
        assert (result.verdict is Verdict.PUBLISHABLE) == better
        assert (result.result.data == sure.result.data) >= better
        assert result.score > 0.9 * max(answers) or not better


def test_the_second_try_is_the_same_each_time() -> None:
    """A retry of the whole image overwrites its result with itself."""
    results = [render(PHOTO, RenderOptions(), Recorded(0.7, 0.8)) for _ in range(2)]
    assert results[0].result.data == results[1].result.data
    assert (results[0].score, results[0].attempts) == (results[1].score, 2)


def test_the_likely_kind_is_asked_for_when_it_is_not_clear_which_is_meant() -> None:
    """Unless the customer named one: then the photo is mirrored instead."""
    photo = draw_photo(300, 400)
    segmenter, _, again = looked_at(photo, Reason.SEVERAL_GARMENTS)
    assert again is not None
    assert segmenter.hints[0] is not Hint.AUTO
    named, _, _ = looked_at(photo, Reason.SEVERAL_GARMENTS, hint=Hint.LOWER)
    assert set(named.hints) == {Hint.LOWER}
    assert np.array_equal(named.sheets[0], segmenter.sheets[0][:, ::-1])


def test_a_mirrored_photos_answer_is_turned_back() -> None:
    """Averaged with the first one it changes nothing if the segmenter does not care about left and right."""
    photo = draw_photo(300, 400)
    photo[:, :60] = photo[0, 0]
    _, first, again = looked_at(photo, Reason.RESIDUAL_SKIN)
    assert again is not None
    agree = again.classes.argmax(0) == first.classes.argmax(0)
    assert agree.mean() > 0.98
    assert np.allclose(again.classes.sum(0), 1, atol=1e-3)


def test_a_dark_photo_is_shown_lighter() -> None:
    """To the segmenter alone: the result has the photo's own pixels."""
    dark = (draw_photo(300, 400) * 0.25).astype(np.uint8)
    segmenter, _, again = looked_at(dark, Reason.TOO_DARK)
    assert again is not None
    assert segmenter.sheets[0].max() > 2 * dark.max()


def test_what_only_a_better_photo_mends_is_not_tried_again() -> None:
    """Blur, the frame, and things in front."""
    reasons = (Reason.BLURRED, Reason.CUT_OFF_BY_FRAME, Reason.OCCLUDED)
    segmenter, _, again = looked_at(draw_photo(300, 400), *reasons)
    assert again is None
    assert segmenter.hints == []


def test_the_likely_kind_is_told_by_the_place_on_the_figure() -> None:
    """Above its middle, below it, over all of it; and nothing where there is no garment."""
    for rows, hint in (((20, 50), Hint.UPPER), ((55, 95), Hint.LOWER), ((20, 95), Hint.FULL)):
        classes = np.zeros((4, 100, 40), np.float32)
        classes[0] = 1
        classes[:, 5:98, 10:30] = np.array([0, 0, 1, 0], np.float32)[:, None, None]
        classes[:, rows[0] : rows[1], 10:30] = np.array([0, 1, 0, 0], np.float32)[:, None, None]
        assert likely_hint(Maps(classes, np.zeros((100, 40), np.float32))) is hint
    assert likely_hint(Maps(np.eye(4, 1, dtype=np.float32)[..., None], np.zeros((1, 1), np.float32))) is None


def test_a_customers_choice_is_the_hint_of_both_tries() -> None:
    """`garment` is never overruled."""
    segmenter = Recorded(0.7, 0.8)
    render(PHOTO, RenderOptions(garment=GarmentChoice.TOP), segmenter)
    assert set(segmenter.hints) == {Hint.UPPER}
