"""The second act: a tenant renders on its own account, its key fails half-way, and the platform goes on.

An MLServer with the exported model stands for the account; it knows nothing of the services.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from deploy.local.demo.account import Account, make_enterprise_account, once_planned
from deploy.local.demo.receiver import Receiver, receiver
from deploy.local.demo.screen import Screen
from deploy.local.environment import Addresses
from deploy.local.ports import Ports
from deploy.local.servers.mlserver import MODEL_NAME, MlServer
from deploy.local.state import State
from libs.client import AsyncMannequin
from libs.client.byok.models import Credential, Usage
from libs.client.errors import MannequinError
from libs.client.models import Batch, Event, Image

_TOLD_WITHIN_S = 30.0
_WAIT_S = 600.0


@asynccontextmanager
async def own_account(state: State) -> AsyncIterator[tuple[MlServer, SecretStr]]:
    """The tenant's own inference server while it runs, and a key that opens it."""
    ports = Ports(state.root / "ports.json")
    server = MlServer(state, ports.get("mlserver-http"), ports.get("mlserver-grpc"))
    key = SecretStr(secrets.token_urlsafe(32))
    await server.start()
    try:
        server.accept(key.get_secret_value())
        yield server, key
    finally:
        await server.stop()


class OwnKey:
    """One batch on a key that is revoked half-way. `run` gives everything that was not as it should be."""

    def __init__(self, addresses: Addresses, screen: Screen, server: MlServer, key: SecretStr) -> None:
        self._addresses = addresses
        self._screen = screen
        self._server = server
        self._key = key
        self._faults: list[str] = []

    async def run(self, archive: Path) -> Sequence[str]:
        account = await make_enterprise_account(self._addresses, "Enterprise Shop")
        async with _client(account, self._addresses) as client, receiver() as hooks:
            try:
                endpoint = await client.webhook_endpoints.create(
                    hooks.url, types=["credential.failed"], description="demonstration"
                )
                credential = await self._store_key(client)
                batch = await self._render(client, archive)
                told = await self._told(hooks, endpoint.secret or SecretStr(""), credential)
                self._screen.failed_key(told)
                await self._check(client, batch)
                await client.webhook_endpoints.delete(endpoint.id)
            except MannequinError as error:
                self._faults.append(str(error))
        return self._faults

    async def _store_key(self, client: AsyncMannequin) -> Credential:
        settings = {"url": self._server.grpc_url, "model": MODEL_NAME}
        credential = await once_planned(
            lambda: client.credentials.create(
                "open-inference", "our own server", {"bearer": self._key}, settings=settings
            )
        )
        await once_planned(lambda: client.routing_policy.set("byok_then_platform"))
        self._screen.stored_key(credential)
        if credential.health.state != "healthy":
            detail = credential.health.detail or "no reason was given"
            self._faults.append(f"the new key is {credential.health.state}: {detail}")
        return credential

    async def _render(self, client: AsyncMannequin, archive: Path) -> Batch:
        """Half-way through, the tenant's server no longer knows the key."""
        batch = await client.batches.process(archive)
        with self._screen.rendering() as show:

            def follow(event: Event) -> None:
                show(event)
                if event.kind == "progress" and _half_done(event):
                    self._server.revoke(self._key.get_secret_value())

            batch = await client.batches.wait(batch.id, timeout_s=_WAIT_S, on_event=follow)
        if batch.status != "completed" or batch.counts.completed != batch.counts.total:
            self._faults.append(f"the batch is {batch.status} with {batch.counts.completed} results")
        return batch

    async def _told(self, hooks: Receiver, secret: SecretStr, credential: Credential) -> dict[str, Any]:
        """The webhook that says that the key failed, and what to do."""
        try:
            arrived = await asyncio.wait_for(hooks.arrivals.get(), _TOLD_WITHIN_S)
            told: dict[str, Any] = Webhook(secret.get_secret_value()).verify(
                arrived.body, dict(arrived.headers)
            )
        except TimeoutError:
            self._faults.append(f"credential.failed did not come within {_TOLD_WITHIN_S:.0f} s")
            return {}
        except WebhookVerificationError as error:
            self._faults.append(f"the webhook's signature does not verify: {error}")
            return {}
        if told["type"] != "credential.failed" or told["data"]["credential"]["id"] != credential.id:
            self._faults.append(f"the webhook told of {told['type']}")
        return told

    async def _check(self, client: AsyncMannequin, batch: Batch) -> None:
        """Both payers computed something, and the charges are the sum of the images' own."""
        images = [image async for image in client.batches.images(batch.id)]
        usage = await client.usage.get(group_by=["provider", "payer"])
        self._screen.charges(usage, await client.usage.savings())
        self._faults.extend(_wrong(usage, images))


def _half_done(event: Event) -> bool:
    counts = Batch.model_validate(event.data).counts
    return 0 < counts.total <= 2 * counts.completed


def _wrong(usage: Usage, images: Sequence[Image]) -> list[str]:
    billed = [image for image in images if image.billable]
    cost = sum((image.route.cost or Decimal(0) for image in billed if image.route), Decimal(0))
    payers = {row.payer for row in usage.rows}
    wrong = []
    if payers != {"tenant", "platform"}:
        wrong.append(f"the charges name {', '.join(sorted(map(str, payers))) or 'nobody'}, not both payers")
    if (usage.total.images, usage.total.cost) != (len(billed), cost):
        wrong.append(
            f"{usage.total.images} charges of {usage.total.cost} USD, but {len(billed)} images of {cost} USD"
        )
    return wrong


def _client(account: Account, addresses: Addresses) -> AsyncMannequin:
    return AsyncMannequin(account.key.get_secret_value(), addresses.api_url)
