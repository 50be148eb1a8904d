"""The parts of the keyvault service, put together by hand."""

from __future__ import annotations

from libs.common.bus.bus import Bus
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.erasure import ExportKeyvault
from libs.common.db import Database
from libs.common.erasure import subscribe_erasure
from libs.common.export import rows_responder
from libs.common.lifecycle import Lifecycle
from libs.common.outbox import Relay
from services.keyvault.checks import Checks
from services.keyvault.erase import Erasures, kept_secrets_of
from services.keyvault.handlers import attach
from services.keyvault.health import handlers as health
from services.keyvault.leases import handlers as leases
from services.keyvault.replace import Replacements
from services.keyvault.revoke import Revoker
from services.keyvault.rotate import Rotations
from services.keyvault.secrets import handlers as secrets
from services.keyvault.service import CredentialsService
from services.keyvault.settings import KeyvaultSettings
from services.keyvault.sweep import Sweep
from services.keyvault.tokens import handlers as tokens
from services.keyvault.transit import TransitVault


async def wire(settings: KeyvaultSettings, lifecycle: Lifecycle) -> None:
    """Start everything; what hears of health before what asks for it."""
    database = await lifecycle.open("database", Database.of(settings, "keyvault"))
    bus = await lifecycle.open("bus", connect(settings.bus_url, "keyvault"))
    vault = await lifecycle.open("vault", TransitVault(settings))
    relay = Relay(database, bus)
    lifecycle.background("outbox", relay.run())
    lifecycle.background("inbox sweep", relay.sweep_inbox())
    await health.attach(bus, database, lifecycle)
    await leases.attach(bus, database, vault, lease_s=settings.lease_s)
    await tokens.attach(bus, database, vault, lead_s=settings.token_key_lead_s)
    await secrets.attach(bus, database, vault)
    await _credentials(settings, lifecycle, database, bus, vault)


async def _credentials(
    settings: KeyvaultSettings, lifecycle: Lifecycle, database: Database, bus: Bus, vault: TransitVault
) -> None:
    checks, revoker = Checks(database, settings.check_s), Revoker(bus)
    rotations = Rotations(database, vault)
    erasures = Erasures(database, vault, revoker, backup_days=settings.backup_days)
    also = (erasures.destroy, kept_secrets_of(vault))
    lifecycle.background("sweep", Sweep(database, rotations, revoker).run())
    await attach(
        bus,
        database,
        CredentialsService(database, vault, checks, revoker),
        Replacements(database, vault, checks, revoker),
        rotations,
        erasures,
    )
    await bus.respond(ExportKeyvault, rows_responder(database))
    await subscribe_erasure(bus, database, flow.VAULT_ERASURES, also=also)
