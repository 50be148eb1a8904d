"""What is told of a batch comes in portions that a broker carries."""

from __future__ import annotations

from datetime import UTC, datetime

from libs.common.contracts.batch import Batch, BatchOptions, BatchStatus, Counts, Image, ImageStatus
from libs.common.contracts.ids import BatchId, ImageId
from libs.common.contracts.options import Rendition
from services.batch.pages import PORTION_BYTES, first_part, parts

WIDE = "\N{T-SHIRT}" * 256
"""As long in UTF-8 as the name of an archive's entry can be, and a quarter of that in characters."""


def image(name: str) -> Image:
    return Image(
        id=ImageId.new(),
        batch_id=BatchId.new(),
        position=0,
        name=name,
        status=ImageStatus.PAIRED,
        paired_with=name,
    )


def test_every_item_comes_once_and_in_order() -> None:
    """In as few portions as there can be."""
    images = [image("a.jpg") for _ in range(7)]
    size = len(images[0].model_dump_json())
    found = list(parts(images, 3 * size))
    assert [len(portion) for portion in found] == [3, 3, 1]
    assert [image for portion in found for image in portion] == images


def test_portions_are_measured_in_bytes() -> None:
    """Of UTF-8, as they travel."""
    images = [image(WIDE)] * 500
    for portion in parts(images):
        assert sum(len(image.model_dump_json().encode()) for image in portion) <= PORTION_BYTES


def test_one_that_is_too_large_goes_alone() -> None:
    """And nothing makes no portion."""
    images = [image(WIDE)] * 2
    assert [len(portion) for portion in parts(images, 10)] == [1, 1]
    assert first_part([]) == ()


def test_batches_with_all_the_options_that_there_are_fill_no_message() -> None:
    """A page of them ends before that."""
    renditions = tuple(
        Rendition.model_validate({"name": f"r{number}", "own_preset": {"background": "#ffffff"}})
        for number in range(8)
    )
    batch = Batch(
        id=BatchId.new(),
        status=BatchStatus.COMPLETED,
        options=BatchOptions(renditions=renditions),
        counts=Counts(),
        progress=1,
        created_at=datetime.now(UTC),
    )
    page = first_part([batch] * 200)
    assert 50 < len(page) < 200
    assert sum(len(shown.model_dump_json()) for shown in page) <= PORTION_BYTES
