"""One of everything that a tenant can have, for the tests that have others ask for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from pydantic import SecretStr

from deploy.local.demo.account import Account, make_enterprise_account
from deploy.local.environment import Addresses
from libs.common.bus.connect import connect
from libs.common.contracts import flow
from libs.common.contracts.access import ROLES, Role
from libs.common.contracts.ids import SessionId, TenantId, UserId
from libs.common.contracts.people import AcceptInvite, CreateInvite
from tests.servers.keys import stored_key, when_planned
from tests.servers.photos import jpegs, numbered, zipped
from tests.servers.planted import planted
from tests.servers.system import System
from tests.servers.tokens import Badge, member
from tests.unit.tiny_onnx import tiny_model

NOBODYS = "0" * 26
_CARD = {
    "name": "knitwear",
    "input": {"name": "image", "height": 64, "width": 48},
    "output": {"name": "probabilities", "stride": 2, "channels": ["background", "garment", "body"]},
}
_CONSENT = {
    "subject_name": "Noor",
    "scope": "catalogue",
    "obtained_at": datetime(2026, 1, 15, tzinfo=UTC).isoformat(),
    "reference": "contract",
}


@dataclass
class Things:
    """A tenant, its key, somebody of each role, and ids by the names that path parameters have."""

    tenant: TenantId
    key: SecretStr
    owner: Badge
    users: Mapping[Role, UserId]
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def nowhere(self) -> dict[str, str]:
        """Ids of the same kinds that were given to nothing."""
        return {name: of_nothing(id_) for name, id_ in self.ids.items()}


def of_nothing(id_: str) -> str:
    """An id of the same kind that was given to nothing; what is no id stays."""
    return f"{id_[:4]}{NOBODYS}" if len(id_) == 4 + len(NOBODYS) else id_


def things_of(system: System, name: str = "owner") -> Things:
    """A tenant that has one of everything, all of it used and done."""
    addresses = system.supervisor.addresses
    account = asyncio.run(make_enterprise_account(addresses, name))
    users, session = asyncio.run(_people(addresses, account))
    owner = member(addresses, account.tenant, Role.OWNER, users[Role.OWNER])
    made = Things(account.tenant, account.key, owner, users)
    with httpx.Client(base_url=system.api_url, headers=owner.headers, timeout=60) as client:
        made.ids = {
            **_images(client),
            **_webhooks(client),
            **_models(client),
            **_administration(client),
            "credential_id": stored_key(client)["id"],
            "user_id": users[Role.VIEWER],
            "session_id": session,
            "tenant_id": account.tenant,
            "erasure_id": f"ers_{NOBODYS}",
            "staff_id": f"stf_{NOBODYS}",
            "code": "no-such-plan",
        }
    return made


async def _people(addresses: Addresses, account: Account) -> tuple[dict[Role, UserId], SessionId]:
    """Users of every role, each by an invitation, and the session of one."""
    users: dict[Role, UserId] = {}
    gateway, operator = connect(addresses.bus_url, "gateway"), connect(addresses.bus_url, flow.OPERATOR)
    await gateway.start()
    await operator.start()
    try:
        for role in Role:
            invite = CreateInvite(
                email=f"{role}.{account.tenant}@shop.example", role=role, within=ROLES[Role.OWNER]
            )
            made = await operator.request(invite, tenant=account.tenant)
            assert made.link is not None
            token = SecretStr(made.link.get_secret_value().partition("#")[2])
            accept = AcceptInvite(token=token, name=role.title(), password=SecretStr(planted()))
            opened = await gateway.request(accept)
            users[role] = opened.user.id
        return users, opened.session_id
    finally:
        await gateway.close()
        await operator.close()


def _images(client: httpx.Client) -> dict[str, str]:
    zip_type = {"content-type": "application/zip"}
    more: dict[str, str | bool] = {"artefacts": True, "renditions": '[{"name": "thumb", "size": 64}]'}
    archive = zipped(numbered(jpegs(2)))
    batch = _json(client.post("/api/v1/batch/process", content=archive, headers=zip_type, params=more))
    client.get(f"/api/v1/batches/{batch['id']}/events").raise_for_status()  # ends with the batch
    images = _json(client.get(f"/api/v1/batches/{batch['id']}/images"))["items"]
    return {
        "batch_id": batch["id"],
        "image_id": images[0]["id"],
        "rendition": images[0]["renditions"][0]["name"],
        "artefact": images[0]["artefacts"][0]["name"],
    }


def _webhooks(client: httpx.Client) -> dict[str, str]:
    endpoint = _json(client.post("/api/v1/webhook-endpoints", json={"url": "http://127.0.0.1:9/"}))
    delivery = _json(client.post(f"/api/v1/webhook-endpoints/{endpoint['id']}/test"))
    return {"endpoint_id": endpoint["id"], "delivery_id": delivery["id"]}


def _models(client: httpx.Client) -> dict[str, str]:
    def person() -> httpx.Response:
        files = {"file": ("person.jpg", jpegs(1, (1000, 750))[0], "image/jpeg")}
        return client.post("/api/v1/human-models", data={"consent": json.dumps(_CONSENT)}, files=files)

    def network() -> httpx.Response:
        files = {"file": ("knitwear.onnx", tiny_model())}
        return client.post("/api/v1/custom-models", data={"model": json.dumps(_CARD)}, files=files)

    return {
        "model_id": when_planned(person)["id"],
        "custom_model_id": when_planned(network)["id"],
    }


def _administration(client: httpx.Client) -> dict[str, str]:
    key = _json(client.post("/api/v1/api-keys", json={"label": "another"}))
    invite = _json(client.post("/api/v1/invites", json={"email": "new@shop.example", "role": "viewer"}))
    domain = when_planned(lambda: client.post("/api/v1/tenant/domains", json={"host": "www.shop.example"}))
    return {
        "key_id": key.get("id") or key["key"]["id"],
        "invite_id": invite.get("id") or invite["invite"]["id"],
        "domain_id": domain["id"],
    }


def _json(response: httpx.Response) -> Any:
    assert response.is_success, response.text
    return response.json()
