"""Leases against what was rendered on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from libs.common.bus.bus import Bus
from libs.common.contracts.credentials import Discrepancy, ReconcileLeases, Reconciliation
from libs.common.contracts.ids import BatchId, CredentialId, TenantId
from libs.common.contracts.routing import ListRenderedOn
from libs.common.db import Database
from services.keyvault.leases.store import sql

UNLEASED = "Images were charged to this credential, but it was never leased for the batch: look into it."
UNUSED = "It was leased for the batch, but no image was charged: cancelled, failed, or still under way."

Work = tuple[BatchId, CredentialId]


class Reconciler:
    """Compares what the vault gave out with what the batch service charged."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus

    async def reconcile(self, query: ReconcileLeases, tenant: TenantId) -> Reconciliation:
        """Of one tenant, since a moment. Unavailable if the batch service does not answer."""
        rendered = await self._bus.request(ListRenderedOn(since=query.since), tenant=tenant, timeout=30.0)
        # After the images: none can have been rendered since that was leased later than this.
        async with self._database.tenant(tenant) as tx:
            rows = await tx.fetch(sql.leased_batches, tenant, query.since)
        return compare(
            {(BatchId(row["batch_id"]), CredentialId(row["credential_id"])): row["leases"] for row in rows},
            {(one.batch_id, one.credential_id): one.images for one in rendered.items},
        )


def compare(leases: Mapping[Work, int], images: Mapping[Work, int]) -> Reconciliation:
    """What does not fit together, the images without a lease first.

    Those alone are wrong. A lease without images is told as well (`images` is 0), but it may be that nothing
    came of the work.
    """
    return Reconciliation(
        leases=sum(leases.values()),
        images=sum(images.values()),
        batches=len({batch for batch, _ in leases.keys() | images.keys()}),
        discrepancies=tuple(_discrepancies(leases, images)),
    )


def _discrepancies(leases: Mapping[Work, int], images: Mapping[Work, int]) -> Iterator[Discrepancy]:
    for batch, credential in sorted(images.keys() - leases.keys()):
        count = images[batch, credential]
        yield Discrepancy(batch_id=batch, credential_id=credential, leases=0, images=count, detail=UNLEASED)
    for batch, credential in sorted(leases.keys() - images.keys()):
        count = leases[batch, credential]
        yield Discrepancy(batch_id=batch, credential_id=credential, leases=count, images=0, detail=UNUSED)
