"""Use cases as responders."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from libs.common.bus.bus import Delivery, Responder
from libs.common.contracts.ids import TenantId
from libs.common.errors import Invalid

UseCase = Callable[[Any, TenantId], Awaitable[BaseModel]]
"""Takes the query and for whom it is asked."""


def for_tenant(use_case: UseCase) -> Responder:
    """A responder that runs `use_case` for the envelope's tenant; Invalid if it names none."""

    async def respond(delivery: Delivery) -> BaseModel:
        tenant = delivery.envelope.tenant_id
        if tenant is None:
            raise Invalid("the query names no tenant")
        return await use_case(delivery.message, tenant)

    return respond
