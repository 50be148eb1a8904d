"""What the platform sells, as data."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Request
from fastapi.responses import Response

from libs.common.contracts import plans as contract
from libs.common.contracts.access import StaffPermission
from libs.common.contracts.tenants import PlanCode
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.gateway import StaffAsking
from services.gateway.platform_bodies import DefinedPlan
from services.gateway.platform_views import PlanDefinition, PlanDefinitionPage
from services.gateway.routes.platform.listing import AsCsv, csv_too, listed

router = guarded_router(prefix="/api/v1/platform", tags=["Platform plans"])
CodePath = Annotated[PlanCode, Path(description="Code of the plan.", examples=["enterprise"])]
_COLUMNS = (
    *("code", "description", "plan.name", "revision", "tenants", "pending", "plan.weight"),
    *(
        "plan.byok",
        "plan.fallback",
        "plan.human_models",
        "plan.custom_models",
        "plan.white_label",
        "plan.sso",
    ),
    *("plan.quotas.images_month", "plan.quotas.concurrent_items", "plan.quotas.retention_days"),
    *("plan.prices.monthly", "plan.prices.image_platform", "plan.prices.image_own_key"),
    *("plan.prices.image_fallback", "updated_at", "retired_at"),
)


@router.get(
    "/plans",
    summary="List plans",
    response_model=PlanDefinitionPage,
    responses=csv_too(_COLUMNS),
    openapi_extra=needs(StaffPermission.PLANS_READ),
)
async def list_plans(
    request: Request,
    ask: StaffAsking,
    as_csv: AsCsv,
    retired: Annotated[bool, Query(description="Whether those that were retired are listed too.")] = True,
) -> Response:
    """All of them, by code: there are 200 at most. As JSON, or as CSV."""
    found = await ask.service(contract.ListPlans(retired=retired))
    page = PlanDefinitionPage(items=tuple(map(PlanDefinition.of, found.items)))
    return listed(request, page, _COLUMNS, "plans", as_csv=as_csv)


@router.get(
    "/plans/{code}",
    summary="Get a plan",
    responses=responses.errors(404),
    openapi_extra=needs(StaffPermission.PLANS_READ),
)
async def get_plan(code: CodePath, ask: StaffAsking) -> PlanDefinition:
    """With how many tenants are on it."""
    return PlanDefinition.of(await ask.service(contract.GetPlan(code=code)))


@router.put(
    "/plans/{code}",
    summary="Define a plan",
    responses=responses.errors(409, 413),
    openapi_extra=needs(StaffPermission.PLANS_WRITE),
)
async def define_plan(code: CodePath, body: DefinedPlan, ask: StaffAsking) -> PlanDefinition:
    """A new plan, or what an old one is from now on. Every tenant that is on it gets the change within
    seconds, but for terms of its own; `pending` counts those that still wait for it. A retired plan is back.
    """
    query = contract.DefinePlan(code=code, description=body.description, plan=body.plan)
    return PlanDefinition.of(await ask.service(query))


@router.delete(
    "/plans/{code}",
    summary="Retire a plan",
    responses=responses.errors(404),
    openapi_extra=needs(StaffPermission.PLANS_WRITE),
)
async def retire_plan(code: CodePath, ask: StaffAsking) -> PlanDefinition:
    """Nobody new is put on it; who is on it stays. Defining it again brings it back."""
    return PlanDefinition.of(await ask.service(contract.RetirePlan(code=code)))
