"""The parts of the tenants service, put together by hand."""

from __future__ import annotations

from datetime import timedelta

from libs.common.bus.connect import connect
from libs.common.bus.remains import remains_at
from libs.common.db import Database
from libs.common.lifecycle import Lifecycle
from libs.common.objects import Objects
from libs.common.outbox import Relay
from services.tenants import last_used
from services.tenants.audit import handlers as audit
from services.tenants.branding import handlers as branding
from services.tenants.branding.domains import Domains
from services.tenants.branding.lookup import mail_brand
from services.tenants.branding.proof import DnsProof
from services.tenants.branding.service import BrandingService
from services.tenants.branding.studio import Studio
from services.tenants.branding.sweep import DomainSweep
from services.tenants.erasure import handlers as erasure
from services.tenants.erasure.rules import Patience
from services.tenants.erasure.saga import ErasureSaga, Terms
from services.tenants.handlers import attach
from services.tenants.keys import ApiKeys
from services.tenants.people import handlers as people
from services.tenants.people.rooms import furnish
from services.tenants.plans import PlansService, Rollout
from services.tenants.service import TenantsService
from services.tenants.settings import TenantsSettings


async def wire(settings: TenantsSettings, lifecycle: Lifecycle) -> None:
    """Start everything."""
    database = await lifecycle.open("database", Database.of(settings, "tenants"))
    bus = await lifecycle.open("bus", connect(settings.bus_url, "tenants"))
    relay = Relay(database, bus)
    lifecycle.background("outbox", relay.run())
    lifecycle.background("inbox sweep", relay.sweep_inbox())
    await audit.attach(bus, database)
    await last_used.attach(bus, database)
    await erasure.attach(bus, database)
    saga = ErasureSaga(database, bus, remains_at(settings.bus_url), erasure_terms(settings))
    lifecycle.background("erasures", saga.run())
    objects = Objects(settings.objects_url)
    lifecycle.pings["objects"] = objects.ping
    domains = Domains(database, DnsProof(settings.dns_server), settings.base_domain)
    lifecycle.background("domain sweep", DomainSweep(database, domains).run())
    await branding.attach(bus, BrandingService(database, objects, Studio()), domains)
    await people.attach(bus, await furnish(settings, database, bus, lifecycle, mail_brand))
    rollout = Rollout(database)
    lifecycle.background("plan rollout", rollout.run())
    await attach(bus, TenantsService(database), PlansService(database, rollout), ApiKeys(database))


def erasure_terms(settings: TenantsSettings) -> Terms:
    patience = Patience(
        settle=timedelta(seconds=settings.erasure_settle_s),
        repeat=timedelta(seconds=settings.erasure_repeat_s),
    )
    return Terms(patience, timedelta(days=settings.backup_days), settings.erasure_poll_s)
