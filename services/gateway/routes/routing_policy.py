"""Whose account computes a tenant's images, by its own choice."""

from __future__ import annotations

from libs.common.contracts import routing as contract
from libs.common.contracts.access import Permission
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.byok_views import RoutingPolicy
from services.gateway.credential_bodies import NewPolicy
from services.gateway.gateway import Asking

router = guarded_router(prefix="/api/v1", tags=["Routing and usage"])


@router.get(
    "/routing-policy",
    summary="Get the routing policy",
    responses=responses.errors(),
    openapi_extra=needs(Permission.ROUTING_READ),
)
async def get_routing_policy(ask: Asking) -> RoutingPolicy:
    """`platform` unless it was set."""
    return RoutingPolicy.of(await ask.service(contract.GetRoutingPolicy()))


@router.put(
    "/routing-policy",
    summary="Set the routing policy",
    responses=responses.errors(409, 413),
    openapi_extra=needs(Permission.ROUTING_WRITE),
)
async def set_routing_policy(body: NewPolicy, ask: Asking) -> RoutingPolicy:
    """`platform` computes on the platform, `byok_only` on your keys alone, `byok_then_platform` on the
    platform when no key of yours can: that costs, and must be in your plan. Images that wait are looked at
    again at once.
    """
    policy = contract.RoutingPolicy.model_validate(body.model_dump())
    return RoutingPolicy.of(await ask.service(contract.SetRoutingPolicy(policy=policy)))
