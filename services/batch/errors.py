"""Errors of the batch service.

libs.common.errors
├── NotFound ── NoSuchBatch, NoSuchImage
└── Conflict ── BatchEnded, BatchStillRunning, NothingToRetry
"""

from __future__ import annotations

from libs.common.errors import Conflict, NotFound


class NoSuchBatch(NotFound):
    """There is no such batch. Check the id, and that the API key is of the tenant that sent it."""

    default_code = "batch_not_found"


class NoSuchImage(NotFound):
    """There is no such image. Check the id, and that the API key is of the tenant that sent it."""

    default_code = "image_not_found"


class BatchEnded(Conflict):
    """The batch has ended already and can't be cancelled."""

    default_code = "batch_ended"


class BatchStillRunning(Conflict):
    """The batch still runs. Wait for its end, then retry what failed."""

    default_code = "batch_still_running"


class NothingToRetry(Conflict):
    """No image of the batch failed, so there is nothing to render again."""

    default_code = "nothing_to_retry"
