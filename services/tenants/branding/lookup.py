"""The brand that a tenant's people see: for mails, and whatever else is made here."""

from __future__ import annotations

from libs.common.contracts.branding import DEFAULT_BRAND, Brand
from libs.common.contracts.ids import TenantId
from libs.common.db import Transaction
from services.tenants import store as tenants
from services.tenants.branding import contrast, store
from services.tenants.mail import brand as mail

WHITE = "#ffffff"


async def brand_of(tx: Transaction, tenant: TenantId) -> Brand:
    """The tenant's own brand if its plan has white-label and one was set; else the platform's."""
    found = await tx.fetchrow(tenants.sql.get_tenant, tenant)
    if found is None or not store.entitled(found):
        return DEFAULT_BRAND
    row = await tx.fetchrow(store.sql.get_brand, tenant)
    return store.brand(row) if row else DEFAULT_BRAND


async def mail_brand(tx: Transaction, tenant: TenantId) -> mail.Brand:
    """The same as letters have it: their buttons are of the brand's colour with white words on it, so a light
    one is darkened as far as it must be.
    """
    brand = await brand_of(tx, tenant)
    if brand == DEFAULT_BRAND:
        return mail.Brand()
    colour = brand.colours.primary
    if contrast.ratio(colour, WHITE) < contrast.TEXT:
        colour = contrast.nearest(colour, WHITE, contrast.TEXT)
    sender = brand.sender_name or brand.display_name
    return mail.Brand(brand.display_name, sender, brand.support_link, colour)
