"""The platform's own people: their two factors, their sessions, and their time inside a tenant."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from deploy.local.servers.nats import Nats
from deploy.local.servers.openbao import OpenBao
from libs.common.contracts.access import Role, StaffRole
from libs.common.contracts.audit import ActionAudited
from libs.common.contracts.ids import SessionId, TenantId
from libs.common.contracts.people import UserState
from libs.common.contracts.staff import (
    BeginImpersonation,
    ChangeStaff,
    CreatedStaff,
    CreateStaff,
    EndImpersonation,
    EndStaffSession,
    GetStaff,
    ListImpersonations,
    ListStaff,
    LogInStaff,
    RefreshStaffSession,
    RemoveStaff,
    StaffSession,
)
from libs.common.errors import Refusal
from tests.integration.people_desk import Desk, at_desk, code_of
from tests.servers.databases import TestDatabase
from tests.servers.planted import planted

EMAIL = "noor@platform.example"
REASON = "Ticket 4711: a batch hangs"


@pytest.fixture
async def desk(database: TestDatabase, nats_server: Nats, vault_server: OpenBao) -> AsyncIterator[Desk]:
    async with at_desk(database, nats_server, vault_server) as desk:
        yield desk


async def hired(desk: Desk, email: str = EMAIL, role: StaffRole = StaffRole.ADMIN) -> CreatedStaff:
    return await desk.gateway.request(CreateStaff(email=email, name="Noor", role=role))


async def enrolled(desk: Desk, created: CreatedStaff) -> tuple[StaffSession, SecretStr, SecretStr]:
    """Through the first sign-in: the session, the password and the secret of the second factor."""
    email = created.staff.email
    first = await desk.gateway.request(LogInStaff(email=email, password=created.password))
    assert first.session is None
    assert first.enrolment is not None
    fresh, secret = SecretStr(planted()), first.enrolment.secret
    second = LogInStaff(email=email, password=created.password, code=code_of(secret), new_password=fresh)
    answer = await desk.gateway.request(second)
    assert answer.session is not None
    assert len(answer.recovery_codes) == 10
    return answer.session, fresh, secret


async def failing(asking: Any, code: str) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await asking
    assert refused.value.code == code
    return refused.value


async def test_the_first_sign_in_enrols_a_second_factor_and_replaces_the_password(desk: Desk) -> None:
    """Without both, the given password opens nothing; afterwards it is dead."""
    created = await hired(desk)
    session, password, secret = await enrolled(desk, created)
    assert session.staff.totp
    await failing(desk.gateway.request(LogInStaff(email=EMAIL, password=created.password)), "login_failed")
    await failing(desk.gateway.request(LogInStaff(email=EMAIL, password=password)), "totp_required")
    used = LogInStaff(email=EMAIL, password=password, code=code_of(secret))
    await failing(desk.gateway.request(used), "login_failed")
    later = used.model_copy(update={"code": code_of(secret, 1)})
    assert (await desk.gateway.request(later)).session is not None
    [row] = await desk.rows("select * from staff")
    assert row["totp_ciphertext"].startswith("vault:v")
    assert secret.get_secret_value() not in str(dict(row))


async def test_half_a_first_sign_in_opens_nothing(desk: Desk) -> None:
    """A wrong code, no new password, or a weak one."""
    created = await hired(desk)
    query = LogInStaff(email=EMAIL, password=created.password)
    enrolment = (await desk.gateway.request(query)).enrolment
    assert enrolment is not None
    right = query.model_copy(update={"code": code_of(enrolment.secret)})
    await failing(desk.gateway.request(right), "new_password_required")
    weak = right.model_copy(update={"new_password": SecretStr("short")})
    await failing(desk.gateway.request(weak), "password_weak")
    same = right.model_copy(update={"new_password": created.password})
    await failing(desk.gateway.request(same), "password_weak")
    wrong = right.model_copy(update={"code": SecretStr("000000"), "new_password": SecretStr(planted())})
    await failing(desk.gateway.request(wrong), "wrong_code")
    assert not await desk.rows("select * from staff_sessions")


async def test_guessing_is_slowed_down(desk: Desk) -> None:
    """The password as well as the code."""
    created = await hired(desk)
    _, password, _ = await enrolled(desk, created)
    wrong = LogInStaff(email=EMAIL, password=password, code=SecretStr("000000"))
    for _ in range(6):
        await failing(desk.gateway.request(wrong), "login_failed")
    await failing(desk.gateway.request(wrong), "too_many_attempts")


async def test_a_session_of_staff_is_short_and_turns_over(desk: Desk) -> None:
    """An hour without use ends it, and so does a token that comes again."""
    session, _, _ = await enrolled(desk, await hired(desk))
    refreshed = await desk.gateway.request(RefreshStaffSession(refresh_token=session.refresh_token))
    assert refreshed.session_id == session.session_id
    assert refreshed.refresh_token != session.refresh_token
    await desk.rows("update staff_sessions set last_used_at = now() - interval '61 minutes'")
    query = RefreshStaffSession(refresh_token=refreshed.refresh_token)
    await failing(desk.gateway.request(query), "session_ended")
    await desk.rows("update staff_sessions set last_used_at = now()")
    await desk.gateway.request(EndStaffSession(refresh_token=refreshed.refresh_token))
    await failing(desk.gateway.request(query), "session_ended")
    assert [told.session_id for told in await desk.revoked()] == [session.session_id]


async def test_who_is_of_the_staff_is_kept_with_one_admin_at_least(desk: Desk) -> None:
    """Disabled or removed, somebody is out at once."""
    session, _, _ = await enrolled(desk, await hired(desk))
    admin = session.staff.id
    helper = await hired(desk, "sami@platform.example", StaffRole.SUPPORT)
    await failing(hired(desk, "SAMI@platform.example"), "already_staff")
    await failing(
        desk.gateway.request(ChangeStaff(staff_id=admin, role=StaffRole.FINANCE)), "last_platform_admin"
    )
    await failing(desk.gateway.request(RemoveStaff(staff_id=admin)), "last_platform_admin")
    await desk.gateway.request(ChangeStaff(staff_id=helper.staff.id, role=StaffRole.ADMIN))
    await desk.gateway.request(ChangeStaff(staff_id=admin, state=UserState.DISABLED))
    query = RefreshStaffSession(refresh_token=session.refresh_token)
    await failing(desk.gateway.request(query), "session_ended")
    revoked = await desk.revoked()
    assert [r.subject for r in revoked] == [helper.staff.id, None, admin]
    hour = timedelta(hours=1)  # that a token of theirs may live inside a tenant
    assert all(r.until - r.before > hour for r in revoked if r.subject)
    await desk.gateway.request(RemoveStaff(staff_id=admin))
    await failing(desk.gateway.request(GetStaff(staff_id=admin)), "staff_not_found")
    assert len((await desk.gateway.request(ListStaff())).items) == 1


async def test_acting_inside_a_tenant_lands_in_its_audit_log_with_the_reason(desk: Desk) -> None:
    """Beginning and end, each of the person; ending it twice is fine."""
    person = (await hired(desk)).staff
    query = BeginImpersonation(staff_id=person.id, reason=REASON, role=Role.OPERATOR, minutes=5)
    begun = await desk.gateway.request(query, tenant=desk.tenant)
    end = EndImpersonation(session_id=begun.session_id)
    first = await desk.gateway.request(end, tenant=desk.tenant)
    second = await desk.gateway.request(end, tenant=desk.tenant)
    assert first == second
    assert first.ended_at is not None
    rows = await desk.rows("select tenant_id, headers, data from outbox order by id")
    told = [
        ActionAudited.model_validate_json(row["data"])
        for row in rows
        if row["tenant_id"] == desk.tenant and row["headers"]["type"] == ActionAudited.wire
    ]
    inside = [one for one in told if one.action.startswith("impersonation.")]
    assert [(one.action, one.detail["reason"]) for one in inside] == [
        ("impersonation.began", REASON),
        ("impersonation.ended", REASON),
    ]
    assert inside[0].actor.id == person.id
    [revoked] = await desk.revoked()
    assert revoked.session_id == begun.session_id
    listed = await desk.gateway.request(ListImpersonations(), tenant=desk.tenant)
    assert [one.session_id for one in listed.items] == [begun.session_id]


async def test_nobody_acts_where_there_is_nothing_or_without_being_there(desk: Desk) -> None:
    """An unknown tenant, a disabled person, another tenant's impersonation."""
    await hired(desk)
    helper = (await hired(desk, "sami@platform.example", StaffRole.SUPPORT)).staff
    query = BeginImpersonation(staff_id=helper.id, reason=REASON)
    await failing(desk.gateway.request(query, tenant=TenantId.new()), "tenant_not_found")
    begun = await desk.gateway.request(query, tenant=desk.tenant)
    other = await desk.found("Another shop")
    end = EndImpersonation(session_id=begun.session_id)
    await failing(desk.gateway.request(end, tenant=other), "impersonation_not_found")
    unknown = EndImpersonation(session_id=SessionId.new())
    await failing(desk.gateway.request(unknown, tenant=desk.tenant), "impersonation_not_found")
    await desk.gateway.request(ChangeStaff(staff_id=helper.id, state=UserState.DISABLED))
    await failing(desk.gateway.request(query, tenant=desk.tenant), "staff_not_found")
