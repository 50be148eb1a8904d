"""Whether a stored upload may become a batch: asked of the batch service, where the plan counts anything."""

from __future__ import annotations

from libs.common.contracts.batch import BatchKind, BatchOptions, SubmitBatch, SubmitImage
from libs.common.contracts.quotas import Admit
from libs.common.contracts.tenants import Quotas
from services.gateway.gateway import Act

ADMIT_S = 60.0
"""A large archive's directory is read for it."""


async def admit(act: Act, command: SubmitBatch | SubmitImage) -> None:
    """Return if there is room. NotBought (402) or TooOften (429), with the limit that it goes beyond.

    A tenant without limits costs no question.
    """
    if command.test or _counts(await act.gateway.plans.quotas(act.tenant), command):
        await act.service(_question(command), ADMIT_S)


def _counts(quotas: Quotas, command: SubmitBatch | SubmitImage) -> bool:
    if quotas.images_month is not None:
        return True
    return isinstance(command, SubmitBatch) and quotas.archive_items is not None


def _question(command: SubmitBatch | SubmitImage) -> Admit:
    if isinstance(command, SubmitBatch):
        return Admit(
            batch_id=command.batch_id,
            kind=BatchKind.ARCHIVE,
            test=command.test,
            archive_key=command.archive_key,
            archive_size=command.archive_size,
            options=command.options,
        )
    return Admit(
        batch_id=command.batch_id,
        kind=BatchKind.SINGLE,
        test=command.test,
        archive_key=command.photo_key,
        archive_size=command.photo_size,
        options=BatchOptions(),
    )
