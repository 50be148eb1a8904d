"""Errors of the batch service.

libs.common.errors
├── Invalid ─── ArchiveLost, InvalidPeriod
├── NotFound ── NoSuchBatch, NoSuchImage
└── Conflict ── BatchEnded, BatchStillRunning, NothingToRetry, ByokNotInPlan, FallbackNotInPlan
"""

from __future__ import annotations

from libs.common.errors import Conflict, Invalid, NotFound


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


class ByokNotInPlan(Conflict):
    """Your plan does not hold keys of your own. Ask for one that does, or choose the policy `platform`."""

    default_code = "byok_not_in_plan"


class FallbackNotInPlan(Conflict):
    """Your plan does not hold falling back to the platform. Ask for one that does, or choose `byok_only`."""

    default_code = "fallback_not_in_plan"


class InvalidPeriod(Invalid):
    """The period ends before it begins, or is longer than a report takes. Give a first and a last day."""

    default_code = "invalid_period"


class ArchiveLost(Invalid):
    """The uploaded archive is not in the object storage. Send it again."""

    default_code = "archive_lost"
