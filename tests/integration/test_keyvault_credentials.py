"""Credentials over the bus: stored write-only, checked, changed and forgotten."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.credentials import (
    CredentialTerms,
    DeleteCredential,
    GetCredential,
    HealthState,
    ListAudit,
    ListCredentials,
    UpdateCredential,
    VerifyCredential,
)
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.providers import Fault, FaultCode, ProviderName
from libs.common.contracts.tenants import Plan, PlanChanged
from libs.common.errors import Conflict, Invalid, NotFound
from services.keyvault.decrypt import decrypt
from services.keyvault.service import MOST_CREDENTIALS
from services.keyvault.vault import CiphertextLost, Context
from tests.integration.keyvault_desk import REVOKED, SETTINGS, Desk, at_desk, until
from tests.servers.databases import TestDatabase
from tests.servers.planted import MARK, planted


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    async with at_desk(database, nats_server, vault_server) as desk:
        yield desk


async def test_a_credential_is_verified_before_the_answer_comes(desk: Desk) -> None:
    """It shows the end and the fingerprint of its secret, and neither row nor message holds more of it."""
    secret = planted()
    made = await desk.create({"bearer": secret})
    assert (made.health.state, made.version, made.last_four) == (HealthState.HEALTHY, 1, secret[-4:])
    assert made.settings["url"] == SETTINGS["url"]
    assert secret not in made.model_dump_json()
    assert await desk.get(made.id) == made
    [probe] = desk.prober.of(made.id)
    assert (probe.credential_id, probe.version, probe.settings) == (made.id, 1, made.settings)


async def test_what_is_stored_opens_in_its_own_row_alone(desk: Desk) -> None:
    """Copied to another credential of the same tenant, the ciphertext is worth nothing."""
    secret = planted()
    one, other = await desk.create({"bearer": secret}), await desk.create()
    row = (await desk.secrets(one.id))[1]
    context = Context(desk.tenant, one.provider, one.id)
    assert await decrypt(desk.vault, context, row["ciphertext"]) == {"bearer": secret}
    with pytest.raises(CiphertextLost):
        await decrypt(desk.vault, replace(context, credential_id=other.id), row["ciphertext"])


async def test_no_table_and_no_event_holds_the_secret(desk: Desk) -> None:
    """All of the schema is searched, and what the other services were told."""
    made = await desk.create()
    tables = await desk.rows("select tablename from pg_tables where schemaname = 'keyvault'")
    for table in tables:
        rows = await desk.rows(f"select t::text as row from {table['tablename']} t")
        assert not [row for row in rows if MARK in row["row"]]
    await until(lambda: len(desk.heard.of(made.id)) >= 2)
    assert MARK not in repr(desk.heard.changes)


async def test_equal_secrets_have_equal_fingerprints_within_a_tenant_only(desk: Desk) -> None:
    """So that nobody learns that two tenants have the same key."""
    secret = planted()
    one, same, other = [await desk.create({"bearer": value}) for value in (secret, secret, planted())]
    assert one.fingerprint == same.fingerprint != other.fingerprint
    desk.tenant = TenantId.new()
    await desk.buy(desk.tenant)
    assert (await desk.create({"bearer": secret})).fingerprint != one.fingerprint


async def test_a_key_that_does_not_work_is_kept_and_said_to_be_failed(desk: Desk) -> None:
    """With the reason and what to do."""
    desk.prober.finds = lambda probe: REVOKED
    made = await desk.create()
    assert (made.health.state, made.health.code) == (HealthState.FAILED, FaultCode.REVOKED)
    assert made.health.detail == REVOKED.detail
    assert "replace" in made.health.advice


async def test_without_an_answer_in_time_a_credential_is_unverified_and_says_why(
    database: TestDatabase, nats_server: Nats, vault_server: OpenBao
) -> None:
    """The check goes on, and its late answer counts."""
    async with at_desk(database, nats_server, vault_server, check_s=0.2) as desk:
        desk.prober.finds = None
        made = await desk.create()
        assert made.health.state is HealthState.UNVERIFIED
        assert "did not end within 0.2 s" in made.health.detail
        desk.prober.finds = lambda probe: None
        verified = VerifyCredential(credential_id=made.id)

        async def healthy() -> bool:
            found = await desk.gateway.request(verified, tenant=desk.tenant, timeout=10)
            return found.health.state is HealthState.HEALTHY

        await until(healthy)


async def test_a_verification_shows_how_the_key_stands_now(desk: Desk) -> None:
    """A key that was good and is revoked is found to be so at once."""
    made = await desk.create()
    desk.prober.finds = lambda probe: REVOKED
    query = VerifyCredential(credential_id=made.id)
    found = await desk.gateway.request(query, tenant=desk.tenant, timeout=10)
    assert (found.health.state, found.health.code) == (HealthState.FAILED, FaultCode.REVOKED)


@pytest.mark.parametrize(
    ("secrets", "changes", "field"),
    [
        ({"bearer": "x" * 5000}, {}, "bearer"),
        ({"bearer": f"two words {MARK}"}, {}, "bearer"),
        ({MARK: "x"}, {}, None),
        ({"model": "x"}, {}, None),
        ({"bearer": ""}, {}, "bearer"),
        ({"bearer": "abc"}, {"settings": {}}, "url"),
        ({"bearer": "abc"}, {"settings": {"url": f"https://me:{MARK}@gpu.example"}}, "url"),
        ({"bearer": "abc"}, {"settings": {**SETTINGS, "bearer": MARK}}, None),
        ({"bearer": "abc"}, {"settings": {**SETTINGS, "model": f"{MARK} "}}, "model"),
        ({"bearer": "abc"}, {"provider": ProviderName.ONNX}, None),
    ],
)
async def test_fields_that_do_not_fit_the_card_are_refused_and_never_quoted(
    desk: Desk, secrets: dict[str, str], changes: dict[str, object], field: str | None
) -> None:
    """The error names the field, if it is one of the card's; nothing is kept."""
    query = await desk.creation(secrets, **changes)
    with pytest.raises(Invalid) as refused:
        await desk.send(query)
    assert (refused.value.code, refused.value.field) == ("credential_field_invalid", field)
    assert MARK not in refused.value.detail
    assert not await desk.rows("select 1 from credentials where tenant_id = $1", desk.tenant)


async def test_a_model_that_its_provider_retired_is_refused_with_its_successor(desk: Desk) -> None:
    """It would fail the first time it is used."""
    file = json.dumps({"type": "service_account", "private_key": planted()})
    query = await desk.creation(
        {"service_account": file},
        provider=ProviderName.GOOGLE_VERTEX,
        settings={"model": "gemini-3-pro-image-preview"},
    )
    with pytest.raises(Invalid) as refused:
        await desk.send(query)
    assert (refused.value.code, refused.value.field) == ("model_retired", "model")
    assert "use gemini-3-pro-image instead" in refused.value.detail


async def test_a_secret_sealed_for_another_tenant_or_credential_is_refused(desk: Desk) -> None:
    """Nor does a damaged one open."""
    query, stranger = await desk.creation(), TenantId.new()
    await desk.buy(stranger)
    moved = query.model_copy(update={"credential_id": CredentialId.new()})
    garbled = query.secret.model_copy(update={"wrapped_key": query.secret.wrapped_key[:-8] + "AAAAAAA="})
    for attempt, tenant in (
        (query, stranger),
        (moved, desk.tenant),
        (query.model_copy(update={"secret": garbled}), desk.tenant),
    ):
        with pytest.raises(Invalid) as refused:
            await desk.send(attempt, tenant)
        assert refused.value.code == "not_sealed_for_this"


async def test_without_byok_in_its_plan_a_tenant_has_no_credentials(desk: Desk) -> None:
    """Neither one that never bought it nor one that gave it back."""
    stranger = TenantId.new()
    query = await desk.creation()
    with pytest.raises(Conflict) as refused:
        await desk.send(query, stranger)
    assert refused.value.code == "byok_not_in_plan"
    await desk.buy(desk.tenant, byok=False, revision=2)
    with pytest.raises(Conflict) as refused:
        await desk.send(query)
    assert refused.value.code == "byok_not_in_plan"


async def test_the_plan_of_the_highest_revision_counts(desk: Desk) -> None:
    """Whatever order the bus brings them in."""
    tenant = TenantId.new()

    async def tell(byok: bool, revision: int) -> None:
        changed = PlanChanged(plan=Plan(byok=byok), revision=revision)
        await desk.tenants.publish([Envelope.of(changed, source="tenants", tenant=tenant)])

    async def known() -> list[tuple[bool, int]]:
        rows = await desk.rows("select byok, revision from plans where tenant_id = $1", tenant)
        return [(row["byok"], row["revision"]) for row in rows]

    async def taken(number: int) -> bool:
        rows = await desk.rows("select 1 from inbox where tenant_id = $1", tenant)
        return len(rows) == number

    await tell(True, 3)
    await until(lambda: taken(1))
    await tell(False, 2)
    await until(lambda: taken(2))
    assert await known() == [(True, 3)]
    await tell(False, 4)
    await until(lambda: taken(3))
    assert await known() == [(False, 4)]


async def test_the_same_creation_again_answers_with_the_first(desk: Desk) -> None:
    """Also both at once: one row, one check, one entry in the audit."""
    query = await desk.creation()
    one, other = await asyncio.gather(desk.send(query), desk.send(query))
    assert one.id == other.id
    again = await desk.send(await desk.creation({"bearer": planted()}, credential_id=query.credential_id))
    assert (again.fingerprint, again.version) == (one.fingerprint, 1)
    assert len(desk.prober.of(one.id)) == 1
    assert [row.action for row in await desk.audit()].count("credential.created") == 1


async def test_a_tenant_has_at_most_so_many_credentials(desk: Desk) -> None:
    """Those that it deleted don't count."""
    first = await desk.create()
    await desk.rows(
        "insert into credentials (tenant_id, id, provider, label) "
        "select tenant_id, 'crd_' || lpad(n::text, 26, '0'), provider, label "
        "from credentials, generate_series(1, $2) n where id = $1",
        first.id,
        MOST_CREDENTIALS - 1,
    )
    query = await desk.creation()
    with pytest.raises(Conflict) as refused:
        await desk.send(query)
    assert refused.value.code == "too_many_credentials"
    await desk.gateway.request(DeleteCredential(credential_id=first.id), tenant=desk.tenant)
    assert (await desk.send(query)).id == query.credential_id


async def test_new_terms_are_told_with_a_higher_revision(desk: Desk) -> None:
    """And the audit names what changed."""
    made = await desk.create()
    terms = CredentialTerms(
        label="spare",
        priority=7,
        monthly_cap=Decimal("12.50"),
        regions=("eu-central-1",),
        models=("mannequin",),
        expires_at=datetime.now(UTC) + timedelta(days=100),
    )
    query = UpdateCredential(credential_id=made.id, terms=terms)
    changed = await desk.gateway.request(query, tenant=desk.tenant)
    assert CredentialTerms(**{name: getattr(changed, name) for name in CredentialTerms.model_fields}) == terms
    assert changed.revision > made.revision
    await until(lambda: changed in desk.heard.of(made.id))
    [updated] = [row for row in await desk.audit() if row.action == "credential.updated"]
    assert updated.actor == "api"
    assert updated.detail["label"] == "spare"
    assert updated.detail["last_four"] == made.last_four


async def test_a_change_of_terms_that_have_moved_on_is_refused(desk: Desk) -> None:
    """Or a change of the label, made from what somebody saw, would switch a disabled credential on again."""
    made = await desk.create()
    seen = CredentialTerms(label=made.label)
    off = UpdateCredential(credential_id=made.id, terms=CredentialTerms(label=made.label, enabled=False))
    await desk.gateway.request(off, tenant=desk.tenant)
    late = UpdateCredential(credential_id=made.id, terms=CredentialTerms(label="new"), before=seen)
    with pytest.raises(Conflict) as refused:
        await desk.gateway.request(late, tenant=desk.tenant)
    assert refused.value.code == "credential_changed"
    assert not (await desk.gateway.request(GetCredential(credential_id=made.id), tenant=desk.tenant)).enabled


async def test_disabling_ends_the_leases_at_once(desk: Desk) -> None:
    """In the table, and at the workers."""
    made = await desk.create()
    lease = await desk.lease(made)
    terms = CredentialTerms(label=made.label, enabled=False)
    query = UpdateCredential(credential_id=made.id, terms=terms)
    assert not (await desk.gateway.request(query, tenant=desk.tenant)).enabled
    assert await desk.ended(lease)
    await until(lambda: bool(desk.heard.revoked))
    assert (desk.heard.revoked[0].credential_id, desk.heard.revoked[0].version) == (made.id, None)


async def test_a_deleted_credential_leaves_no_ciphertext_and_no_lease(desk: Desk) -> None:
    """It is gone for the API, told as deleted, and stays in the audit."""
    made = await desk.create()
    lease = await desk.lease(made)
    query = DeleteCredential(credential_id=made.id)
    assert await desk.gateway.request(query, tenant=desk.tenant) == made
    secrets = await desk.secrets(made.id)
    assert [(row["status"], row["ciphertext"]) for row in secrets.values()] == [("gone", None)]
    assert await desk.ended(lease)
    await until(lambda: any(told.deleted for told in desk.heard.of(made.id)))
    await until(lambda: bool(desk.heard.revoked))
    for gone in (query, GetCredential(credential_id=made.id), VerifyCredential(credential_id=made.id)):
        with pytest.raises(NotFound):
            await desk.gateway.request(gone, tenant=desk.tenant)
    assert (await desk.gateway.request(ListCredentials(), tenant=desk.tenant)).items == ()
    assert (await desk.audit())[-1].action == "credential.deleted"


async def test_another_tenant_sees_and_changes_nothing(desk: Desk) -> None:
    """It is as if the credential were not there."""
    made, stranger = await desk.create(), TenantId.new()
    assert (await desk.gateway.request(ListCredentials(), tenant=stranger)).items == ()
    for query in (
        GetCredential(credential_id=made.id),
        DeleteCredential(credential_id=made.id),
        VerifyCredential(credential_id=made.id),
        UpdateCredential(credential_id=made.id, terms=CredentialTerms(label="mine")),
    ):
        with pytest.raises(NotFound):
            await desk.gateway.request(query, tenant=stranger)
    assert await desk.get(made.id) == made


async def test_every_change_is_told_once_with_a_revision_of_its_own(desk: Desk) -> None:
    """Whatever made it: the tenant, the check, the replacement."""
    made = await desk.create()
    await desk.replacement(made.id)
    now = await desk.get(made.id)
    await until(lambda: now in desk.heard.of(made.id))
    revisions = [told.revision for told in desk.heard.of(made.id)]
    assert len(set(revisions)) == len(revisions)


async def test_the_audit_is_paged_and_can_not_be_rewritten(desk: Desk) -> None:
    """Newest first; it tells versions of a secret apart by fingerprint and last four characters."""
    made = await desk.create()
    await desk.replacement(made.id)
    first = await desk.operator.request(ListAudit(limit=2), tenant=desk.tenant)
    assert len(first.items) == 2
    rest = await desk.operator.request(ListAudit(cursor=first.next_cursor), tenant=desk.tenant)
    rows = [*first.items, *rest.items]
    assert rows == sorted(rows, key=lambda row: row.at, reverse=True)
    assert rows[-1].action == "credential.created"
    assert rows[-1].detail["fingerprint"] == made.fingerprint
    assert MARK not in json.dumps([row.model_dump(mode="json") for row in rows])
    for change in ("update audit set actor = 'nobody'", "delete from audit"):
        with pytest.raises(Exception, match="permission denied"):
            await desk.rows(change)
    with pytest.raises(Invalid):
        await desk.operator.request(ListAudit(cursor="tomorrow"), tenant=desk.tenant)


async def test_a_fault_of_the_provider_leaves_a_new_credential_unverified(desk: Desk) -> None:
    """It is not the key's fault, so the key is not said to be bad."""
    desk.prober.finds = lambda probe: Fault(code=FaultCode.UNAVAILABLE, detail="no answer from the endpoint")
    made = await desk.create()
    assert (made.health.state, made.health.code) == (HealthState.UNVERIFIED, FaultCode.UNAVAILABLE)
