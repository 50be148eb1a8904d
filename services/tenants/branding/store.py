"""Rows of brands and domains, and what they look like to the outside."""

from __future__ import annotations

from libs.common.contracts.branding import (
    Brand,
    BrandChanged,
    BrandFile,
    Branding,
    Domain,
    Look,
)
from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import Entitlement, Plan
from libs.common.db import Queries, Row, Transaction
from services.tenants import store as tenants
from services.tenants.branding.errors import NotInPlan
from services.tenants.branding.hosts import proof_name, proof_value
from services.tenants.errors import NoSuchTenant

sql = Queries(__package__)
NAME_LENGTH = 100


async def tenant_row(tx: Transaction, tenant: TenantId) -> Row:
    """NoSuchTenant."""
    row = await tx.fetchrow(tenants.sql.get_tenant, tenant)
    if row is None:
        raise NoSuchTenant
    return row


def entitled(row: Row) -> bool:
    """Whether a tenant's plan has white-label."""
    return Plan.model_validate(row["plan"]).has(Entitlement.WHITE_LABEL)


async def entitled_row(tx: Transaction, tenant: TenantId) -> Row:
    """NoSuchTenant, NotInPlan."""
    row = await tenant_row(tx, tenant)
    if not entitled(row):
        raise NotInPlan
    return row


async def held(tx: Transaction, tenant_: Row) -> Row:
    """The brand's row, locked until the transaction ends; made if it was not there."""
    await tx.execute(sql.ensure_brand, tenant_["tenant_id"], default_name(tenant_["name"]))
    row = await tx.fetchrow(sql.hold_brand, tenant_["tenant_id"])
    assert row is not None
    return row


async def announce(tx: Transaction, tenant_: Row) -> Row:
    """Tell the gateway what there is now; the brand's row as it is then."""
    tenant = TenantId(tenant_["tenant_id"])
    await held(tx, tenant_)
    row = await tx.fetchrow(sql.next_revision, tenant)
    assert row is not None
    hosts = tuple(found["host"] for found in await tx.fetch(sql.verified_hosts, tenant))
    tx.publish(
        BrandChanged(brand=brand(row), slug=tenant_.get("slug"), hosts=hosts, revision=row["revision"])
    )
    return row


def default_name(tenant_name: str) -> str:
    """What a brand is called until somebody says: the tenant's name, as far as it can be shown."""
    shown = "".join(char for char in tenant_name if char.isprintable()).strip()
    return shown[:NAME_LENGTH] or "Brand"


def brand(row: Row) -> Brand:
    """Of a row of `brands`."""
    fields = {name: row[name] for name in Brand.model_fields if row[name] is not None}
    return Brand.model_validate(fields)


def branding(tenant_: Row, row: Row | None) -> Branding:
    """Of a tenant's row and its brand's, if it has one."""
    shown = brand(row) if row else Brand(display_name=default_name(tenant_["name"]))
    return Branding(
        brand=shown,
        slug=tenant_.get("slug"),
        entitled=entitled(tenant_),
        favicon_uploaded=bool(row and row["favicon_uploaded"]),
        updated_at=row["updated_at"] if row else None,
    )


def look_columns(look: Look) -> tuple[object, ...]:
    """In the order of `set_look`."""
    return (
        look.display_name,
        look.colours.model_dump(mode="json"),
        look.support_link,
        look.sender_name,
        look.language.value,
    )


def pictures(row: Row) -> dict[str, BrandFile | None]:
    """`logo`, `favicon` and `touch_icon`."""
    return {
        name: BrandFile.model_validate(row[name]) if row[name] else None
        for name in ("logo", "favicon", "touch_icon")
    }


def domain(row: Row) -> Domain:
    shown = {name: row[name] for name in Domain.model_fields if not name.startswith("txt_")}
    return Domain(**shown, txt_name=proof_name(row["host"]), txt_value=proof_value(row["token"]))
