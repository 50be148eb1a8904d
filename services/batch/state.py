"""The state machine of a batch.

    accepted ─> splitting ─> processing ─> completed ─(retry)─> processing
                    │            ├───────> cancelled
                    └────────────┴───────> failed ─────(retry)─> processing

A batch ends when it is split to the end and none of its images waits or renders.
"""

from __future__ import annotations

from dataclasses import dataclass

from libs.common.contracts.batch import BatchStatus, Counts, Failure

NOTHING_VALID = Failure(
    code="nothing_to_render",
    detail="The archive holds no photo that can be rendered; see the reason of each entry.",
)
NOTHING_RENDERED = Failure(
    code="nothing_rendered",
    detail="Every photo of the batch failed; see the reason of each image, mend it or retry.",
)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a batch ends."""

    status: BatchStatus
    failure: Failure | None = None


def ending(status: BatchStatus, counts: Counts, *, cancelling: bool) -> Ending | None:
    """The end that a batch in this state has reached, or None while there is something left to do."""
    if status is not BatchStatus.PROCESSING or counts.waiting or counts.rendering:
        return None
    if cancelling:
        return Ending(BatchStatus.CANCELLED)
    if counts.completed:
        return Ending(BatchStatus.COMPLETED)
    if counts.failed:
        return Ending(BatchStatus.FAILED, NOTHING_RENDERED)
    return Ending(BatchStatus.FAILED, NOTHING_VALID)


def progress(status: BatchStatus, counts: Counts) -> float:
    """Share of the images that have ended, 0 to 1."""
    if status.ended:
        return 1.0
    ended = counts.completed + counts.failed + counts.refused + counts.cancelled + counts.paired
    # A batch that is still being split does not know its total, so it never shows itself as done.
    total = counts.total if status is BatchStatus.PROCESSING else counts.total + 1
    return round(ended / total, 4) if total else 0.0
