"""What a tenant has in object storage goes as a whole: photos, archives, results, brands, human models."""

from __future__ import annotations

from collections.abc import Mapping

from libs.common.contracts.ids import TenantId
from libs.common.erasure import Beyond
from libs.common.objects import Objects, tenant_key


def objects_of(objects: Objects) -> Beyond:
    """This service does it for all, as it knows when the last image of a tenant is through."""

    async def remove(tenant: TenantId) -> Mapping[str, int]:
        return {"objects": await objects.delete_prefix(tenant_key(tenant, ""))}

    return remove
