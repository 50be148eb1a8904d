"""Plans as data: what the platform sells, by code (owner: the tenants service).

A tenant is on a plan by its code, with terms of its own where those were agreed on: they stay as the plan
changes, and all else of the plan reaches its tenants.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, JsonValue

from libs.common.contracts import tenants
from libs.common.contracts.message import Body, Query
from libs.common.contracts.tenants import Plan, PlanCode, Tenant

Overrides = Annotated[dict[str, JsonValue], Field(max_length=20)]
"""What differs of a Plan, by its names: `{"quotas": {"members": null}}`, where null means "no limit"."""
_GROUPS = ("quotas", "prices")


def overridden(plan: Plan, overrides: Mapping[str, JsonValue]) -> Plan:
    """The plan with a tenant's own terms. pydantic.ValidationError where they do not fit."""
    merged: dict[str, Any] = plan.model_dump(mode="json")
    for name, value in overrides.items():
        inner = name in _GROUPS and isinstance(value, dict)
        merged[name] = {**merged[name], **value} if inner else value  # type: ignore[dict-item]
    return Plan.model_validate(merged)


class PlanDefinition(Body):
    """A plan that tenants can be put on. `revision` counts its changes.

    tenants: how many are on it; pending: of them, how many have not been told of its last change yet.
    retired_at: nobody new is put on it since then; who is on it stays.
    """

    code: PlanCode
    description: str
    plan: Plan
    revision: int
    tenants: int = 0
    pending: int = 0
    created_at: datetime
    updated_at: datetime
    retired_at: datetime | None = None


class PlanList(Body):
    items: tuple[PlanDefinition, ...]


class ListPlans(Query[PlanList]):
    """By code; there are 200 at most."""

    wire = "tenants.list_plans.v1"
    reply = PlanList
    retired: bool = Field(True, description="Whether those that were retired are listed too.")


class GetPlan(Query[PlanDefinition]):
    wire = "tenants.get_plan.v1"
    reply = PlanDefinition
    code: PlanCode


class DefinePlan(Query[PlanDefinition]):
    """A new plan, or what an old one is from now on; its tenants are told one after another."""

    wire = "tenants.define_plan.v1"
    reply = PlanDefinition
    code: PlanCode
    description: str = Field("", max_length=500)
    plan: Plan


class RetirePlan(Query[PlanDefinition]):
    """Nobody new is put on it; defining it again brings it back."""

    wire = "tenants.retire_plan.v1"
    reply = PlanDefinition
    code: PlanCode


class ChangePlan(Query[Tenant]):
    """Put the tenant in the envelope on a plan, with these terms of its own and no others."""

    wire = "tenants.change_plan.v1"
    reply = Tenant
    code: PlanCode
    overrides: Overrides = Field(default_factory=dict)


TENANT_QUERIES = (
    tenants.CreateTenant,
    tenants.ListTenants,
    tenants.GetTenant,
    tenants.UpdateTenant,
    tenants.SuspendTenant,
    tenants.ResumeTenant,
    tenants.SetPlan,
    ListPlans,
    GetPlan,
    DefinePlan,
    RetirePlan,
    ChangePlan,
    tenants.IssueApiKey,
    tenants.RotateApiKey,
    tenants.UpdateApiKey,
    tenants.GetApiKey,
    tenants.ListApiKeys,
    tenants.RevokeApiKey,
)
"""What the gateway and the operator ask of tenants, plans and keys."""
