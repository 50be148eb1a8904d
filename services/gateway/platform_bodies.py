"""What the platform's own people send about tenants and plans."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from libs.common.contracts.tenants import Plan, PlanCode, Slug
from services.gateway.tenant_views import PLAN, TEXT, ContactEmail, TenantName

PlanName = Annotated[PlanCode, Field(description="Code of a plan.", examples=["enterprise"])]
Host = Annotated[
    Slug, Field(description="Host below the platform's domain: lower case letters, digits, hyphens.")
]


def _taken(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class NewTenant(BaseModel):
    """Without `plan_code`: a plan of its own that holds nothing and limits nothing."""

    model_config = _taken(name="Maison Étoile", slug="maison-etoile", plan_code="enterprise")

    name: TenantName
    slug: Host | None = None
    plan_code: PlanName | None = None
    contact_email: ContactEmail | None = None
    weight: int = Field(1, ge=1, le=100, description="Share in fair dispatch where the plan names none.")


class ChangedPlatformTenant(BaseModel):
    """What is absent stays as it is."""

    model_config = _taken(slug="etoile")

    name: TenantName | None = None
    contact_email: ContactEmail | None = None
    slug: Host | None = None


class Suspension(BaseModel):
    model_config = _taken(reason="Invoice 2026-0117 is unpaid.")

    reason: str = Field(
        min_length=1,
        max_length=500,
        pattern=TEXT,
        description="Shown to the tenant, and kept in its audit log.",
    )


class PlanOverrides(Plan):
    """What differs of the plan; all else is as the plan says, now and after its changes."""


class PlanChoice(BaseModel):
    """Terms of its own are those named here and no others: what the tenant had before is gone."""

    model_config = _taken(code="enterprise", overrides={"quotas": {"images_month": 50_000}})

    code: PlanName
    overrides: PlanOverrides = PlanOverrides()

    def terms(self) -> dict[str, JsonValue]:
        """Only what was said."""
        return self.overrides.model_dump(mode="json", exclude_unset=True)


class DefinedPlan(BaseModel):
    """The whole plan: what is absent has its default (nothing, and no limit)."""

    model_config = _taken(description="For the largest.", plan=PLAN)

    description: str = Field("", max_length=500, pattern=TEXT)
    plan: Plan
