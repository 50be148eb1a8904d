"""The rows of one schema; what PostgreSQL does for it stands in `libs/common/db/erasing.py`."""

from __future__ import annotations

from libs.common.contracts.ids import TenantId, tenant_sha256
from libs.common.db import Transaction


async def raise_fence(tx: Transaction, tenant: TenantId) -> None:
    """From the commit on no message of the tenant has an effect. In a platform transaction; again is fine."""
    await tx.execute(
        f"insert into {tx.schema}.erased (tenant_sha256) values ($1) on conflict do nothing",  # noqa: S608
        tenant_sha256(tenant),
    )


async def erase_rows(tx: Transaction, tenant: TenantId) -> dict[str, int]:
    """Delete every row of the tenant, by whatever table that has a `tenant_id`, and raise the fence.

    In a platform transaction, which sees the messages on their way in and out deleted as well; what it
    publishes itself is written afterwards. How many rows of which table there were.
    """
    rows = await tx.fetch(
        f"select name, removed from {tx.schema}.erase_tenant($1)",  # noqa: S608
        tenant,
    )
    return {row["name"]: row["removed"] for row in rows}


async def is_erased(tx: Transaction, tenant: TenantId) -> bool:
    """Whether the fence is up, for what takes messages without an inbox."""
    return bool(
        await tx.fetchval(
            f"select exists (select from {tx.schema}.erased where tenant_sha256 = $1)",  # noqa: S608
            tenant_sha256(tenant),
        )
    )
