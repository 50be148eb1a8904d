"""When a batch ends, and how."""

import pytest

from libs.common.contracts.batch import BatchStatus, Counts
from services.batch.state import NOTHING_RENDERED, NOTHING_VALID, Ending, ending, progress

PROCESSING = BatchStatus.PROCESSING


@pytest.mark.parametrize("status", [status for status in BatchStatus if status is not PROCESSING])
def test_only_a_batch_that_is_wholly_split_can_end(status: BatchStatus) -> None:
    """Until the last entry is known nothing ends the batch; and an ended one does not end again."""
    assert ending(status, Counts(total=3, completed=3), cancelling=False) is None


@pytest.mark.parametrize("open_images", [{"waiting": 1}, {"rendering": 1}])
def test_open_images_keep_a_batch_open(open_images: dict[str, int]) -> None:
    """Also while it is being cancelled: what renders is finished."""
    assert ending(PROCESSING, Counts(total=4, completed=3, **open_images), cancelling=True) is None


@pytest.mark.parametrize(
    ("counts", "cancelling", "expected"),
    [
        (Counts(total=2, completed=1, failed=1), False, Ending(BatchStatus.COMPLETED)),
        (Counts(total=2, refused=2), False, Ending(BatchStatus.FAILED, NOTHING_VALID)),
        (Counts(), False, Ending(BatchStatus.FAILED, NOTHING_VALID)),
        (Counts(total=2, failed=1, refused=1), False, Ending(BatchStatus.FAILED, NOTHING_RENDERED)),
        (Counts(total=2, completed=1, cancelled=1), True, Ending(BatchStatus.CANCELLED)),
    ],
)
def test_a_batch_ends_as_its_images_did(counts: Counts, cancelling: bool, expected: Ending) -> None:
    """One completed image makes it completed; none makes it failed, with the reason."""
    assert ending(PROCESSING, counts, cancelling=cancelling) == expected


def test_progress_is_one_only_at_the_end() -> None:
    """While the archive is being split, more images may come."""
    assert progress(BatchStatus.SPLITTING, Counts(total=2, completed=2)) < 1
    assert progress(PROCESSING, Counts(total=4, completed=1, refused=1)) == 0.5
    assert progress(BatchStatus.FAILED, Counts()) == 1
