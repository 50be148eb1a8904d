"""The bus edge of branding."""

from __future__ import annotations

from libs.common.bus.bus import Bus
from libs.common.bus.responders import for_tenant
from libs.common.contracts.branding import (
    AddDomain,
    CheckColours,
    GetBranding,
    GetDomain,
    ListDomains,
    RemoveBrandPicture,
    RemoveDomain,
    SetBranding,
    SetBrandPicture,
    VerifyDomain,
)
from services.tenants.branding.domains import Domains
from services.tenants.branding.service import BrandingService


async def attach(bus: Bus, service: BrandingService, domains: Domains) -> None:
    """Respond to everything that `flow.BRANDING_QUERIES` has."""
    await bus.respond(GetBranding, for_tenant(service.get))
    await bus.respond(SetBranding, for_tenant(service.set_look))
    await bus.respond(CheckColours, for_tenant(service.check))
    await bus.respond(SetBrandPicture, for_tenant(service.set_picture))
    await bus.respond(RemoveBrandPicture, for_tenant(service.remove_picture))
    await bus.respond(AddDomain, for_tenant(domains.add))
    await bus.respond(ListDomains, for_tenant(domains.list))
    await bus.respond(GetDomain, for_tenant(domains.get))
    await bus.respond(VerifyDomain, for_tenant(domains.verify))
    await bus.respond(RemoveDomain, for_tenant(domains.remove))
