"""The way of a secret into the vault: sealed before the bus has it, with a key that may be an old one."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from libs.common.bus.bus import Bus
from libs.common.contracts.credentials import (
    CreateCredential,
    Credential,
    CredentialTerms,
    GetIntakeKey,
    Health,
    IntakeKey,
    SealedSecret,
)
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.errors import Conflict, Invalid, Unavailable
from libs.common.sealing import open_in_vault
from services.gateway.errors import VaultUnavailable
from services.gateway.sealing import KEPT_S, Sealer

TENANT, CREDENTIAL = TenantId.new(), CredentialId.new()
SECRET = {"bearer": "planted-in-the-sealer"}
NOW = datetime(2026, 3, 1, tzinfo=UTC)
SHOWN = Credential(
    id=CREDENTIAL,
    provider=ProviderName.OPEN_INFERENCE,
    label="GPUs",
    health=Health(since=NOW),
    last_four="aler",
    fingerprint="f",
    created_at=NOW,
    updated_at=NOW,
)


class Vault:
    """What answers on the other side of the bus: it knows the newest of `keys`; `refusals` come first."""

    def __init__(self) -> None:
        self.keys = [rsa.generate_private_key(65537, 2048)]
        self.refusals: list[Exception] = []
        self.asked: list[Any] = []

    async def request(self, query: Any, *, tenant: TenantId | None = None, timeout: float = 5.0) -> Any:
        self.asked.append(query)
        if isinstance(query, GetIntakeKey):
            public = (
                self.keys[-1]
                .public_key()
                .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            )
            return IntakeKey(version=len(self.keys), public_key=public.decode())
        if self.refusals:
            raise self.refusals.pop(0)
        if query.secret.key_version != len(self.keys):
            raise Invalid("no such key", code="intake_key_unknown")
        return SHOWN

    def opened(self, query: CreateCredential) -> dict[str, str]:
        oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
        content_key = self.keys[query.secret.key_version - 1].decrypt(
            b64decode(query.secret.wrapped_key), oaep
        )
        return open_in_vault(query.secret, content_key, TENANT, CREDENTIAL)

    @property
    def fetched(self) -> int:
        return sum(isinstance(query, GetIntakeKey) for query in self.asked)


def query(sealed: SealedSecret) -> CreateCredential:
    return CreateCredential(
        credential_id=CREDENTIAL,
        provider=ProviderName.OPEN_INFERENCE,
        terms=CredentialTerms(label="GPUs"),
        secret=sealed,
    )


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def vault() -> Vault:
    return Vault()


def sealer(vault: Vault, clock: Clock | None = None) -> Sealer:
    return Sealer(cast("Bus", vault), clock=clock or Clock())


async def test_what_goes_over_the_bus_opens_in_the_vault_alone(vault: Vault) -> None:
    """The message holds nothing of the secret, and the vault's key brings all of it back."""
    await sealer(vault).send(TENANT, CREDENTIAL, SECRET, query)
    told = vault.asked[-1]
    assert SECRET["bearer"] not in told.model_dump_json()
    assert vault.opened(told) == SECRET


async def test_the_key_is_kept_for_some_minutes(vault: Vault) -> None:
    """And fetched anew after that."""
    clock = Clock()
    one = sealer(vault, clock)
    for moment in (0, KEPT_S - 1, KEPT_S + 1):
        clock.now = moment
        await one.send(TENANT, CREDENTIAL, SECRET, query)
    assert vault.fetched == 2


async def test_a_key_that_the_vault_no_longer_has_is_fetched_again_once(vault: Vault) -> None:
    """Its rotation is nothing that the tenant sees."""
    one = sealer(vault)
    await one.send(TENANT, CREDENTIAL, SECRET, query)
    vault.keys.append(rsa.generate_private_key(65537, 2048))
    assert await one.send(TENANT, CREDENTIAL, SECRET, query) == SHOWN
    assert vault.opened(vault.asked[-1]) == SECRET
    assert vault.fetched == 2


@pytest.mark.parametrize(
    ("refusal", "code"),
    [(Conflict(code="byok_not_in_plan"), "byok_not_in_plan"), (Invalid(code="not_sealed_for_this"), None)],
)
async def test_refusals_of_the_vault_come_through(vault: Vault, refusal: Conflict, code: str | None) -> None:
    """At once, but for those that a fresh key may mend: they come through the second time."""
    vault.refusals = [refusal, refusal]
    with pytest.raises(type(refusal)) as raised:
        await sealer(vault).send(TENANT, CREDENTIAL, SECRET, query)
    assert raised.value.code == refusal.code
    assert vault.fetched == (1 if code else 2)


async def test_a_vault_that_is_away_is_called_so(vault: Vault) -> None:
    """And not just a part of the service: it says that rendering goes on."""
    vault.refusals = [Unavailable()]
    with pytest.raises(VaultUnavailable):
        await sealer(vault).send(TENANT, CREDENTIAL, SECRET, query)
