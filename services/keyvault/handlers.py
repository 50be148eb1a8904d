"""The bus edge of the keyvault service: messages to use cases."""

from __future__ import annotations

from typing import Any

from libs.common.bus.bus import Bus, Delivery
from libs.common.bus.responders import UseCase, for_tenant
from libs.common.contracts import flow
from libs.common.contracts.credentials import (
    CreateCredential,
    DeleteCredential,
    EraseCredentials,
    GetCredential,
    GetIntakeKey,
    IntakeKey,
    ListAudit,
    ListCredentials,
    ReplaceCredential,
    RollBackCredential,
    RotateKey,
    UpdateCredential,
    VerifyCredential,
)
from libs.common.contracts.message import Query
from libs.common.db import Database
from libs.common.outbox import once
from services.keyvault.audit import Trail
from services.keyvault.erase import Erasures
from services.keyvault.plans import plan_changed
from services.keyvault.replace import Replacements
from services.keyvault.rotate import Rotations
from services.keyvault.service import CredentialsService


async def attach(
    bus: Bus,
    database: Database,
    credentials: CredentialsService,
    replacements: Replacements,
    rotations: Rotations,
    erasures: Erasures,
) -> None:
    """Respond and subscribe to what `flow.py` gives this service, but for leases and health."""

    async def intake_key(delivery: Delivery) -> IntakeKey:
        assert isinstance(delivery.message, GetIntakeKey)
        return await credentials.intake_key(delivery.message)

    await bus.respond(GetIntakeKey, intake_key)
    operators: dict[type[Query[Any]], UseCase] = {
        RotateKey: rotations.rotate,
        EraseCredentials: erasures.erase,
        ListAudit: Trail(database).page,
    }
    for query, use_case in (_of_tenants(credentials, replacements) | operators).items():
        await bus.respond(query, for_tenant(use_case))
    await bus.subscribe(flow.VAULT_PLANS, once(database, flow.VAULT_PLANS, plan_changed))


def _of_tenants(
    credentials: CredentialsService, replacements: Replacements
) -> dict[type[Query[Any]], UseCase]:
    return {
        CreateCredential: credentials.create,
        ListCredentials: credentials.list_all,
        GetCredential: credentials.get,
        UpdateCredential: credentials.update,
        VerifyCredential: credentials.verify,
        DeleteCredential: credentials.delete,
        ReplaceCredential: replacements.replace,
        RollBackCredential: replacements.roll_back,
    }
