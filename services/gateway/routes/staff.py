"""The platform's own people: how they come in, and who they are. A realm apart from any tenant."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from libs.common.contracts import staff as contract
from libs.common.contracts.access import ROLES, Role, StaffPermission
from libs.common.contracts.ids import StaffId, TenantId
from libs.common.contracts.people import CreateInvite
from libs.common.errors import Denied
from services.gateway import people_views as views
from services.gateway import responses
from services.gateway.auth import cookies
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.gateway import StaffActing, StaffAsking
from services.gateway.idempotency import Answer
from services.gateway.people_bodies import ChangedStaff, NewInvite, NewStaff, StaffCredentials
from services.gateway.people_views import (
    Invite,
    NewStaffMember,
    StaffMe,
    StaffMember,
    StaffMemberList,
    StaffSignIn,
)
from services.gateway.routes.members import created_invite
from services.gateway.sign_in import SLOW_S, Door, enrolment

doors = APIRouter(prefix="/api/v1/platform/auth", tags=["Platform staff"])
people = guarded_router(prefix="/api/v1/platform", tags=["Platform staff"])
TenantPath = Annotated[TenantId, Path(description="Id of the tenant.", examples=[views.TENANT_ID])]
StaffPath = Annotated[StaffId, Path(description="Id of the person.", examples=[views.STAFF_ID])]


@doors.post("/login", summary="Sign in as staff", responses=responses.errors())
async def log_in_staff(body: StaffCredentials, request: Request, response: Response) -> StaffSignIn:
    """Always with a code of an authenticator app. The first time the answer is `enrolment`, a secret for one:
    send the same again with a `code` of it and a `new_password`.
    """
    door = Door(request)
    door.no_other_site()
    answer = await door.ask(contract.LogInStaff(**dict(body), client=door.client))
    if answer.session is None:
        assert answer.enrolment is not None
        return StaffSignIn(enrolment=enrolment(answer.enrolment))
    codes = tuple(code.get_secret_value() for code in answer.recovery_codes)
    return await door.let_staff_in(response, answer.session, codes)


@doors.post("/refresh", summary="Refresh a session of staff", responses=responses.errors())
async def refresh_staff_session(request: Request, response: Response) -> StaffSignIn:
    """A new access token by the refresh cookie, which is replaced too."""
    door = Door(request)
    token = door.refresh_token()
    if token is None:
        raise Denied("There is no session to refresh.", code="session_ended")
    session = await door.ask(contract.RefreshStaffSession(refresh_token=token))
    return await door.let_staff_in(response, session)


@doors.post("/logout", status_code=204, summary="Sign out as staff", responses=responses.errors())
async def log_out_staff(request: Request, response: Response) -> None:
    """Ends the session of the refresh cookie at once and takes the cookies away."""
    door = Door(request)
    token = door.refresh_token()
    if token is not None:
        await door.ask(contract.EndStaffSession(refresh_token=token))
    cookies.clear(response, door.gateway.settings, cookies.PLATFORM_REFRESH_PATH)


@people.get(
    "/me",
    summary="Get yourself, of the staff",
    responses=responses.errors(404),
    openapi_extra=needs(StaffPermission.ME),
)
async def get_staff_me(ask: StaffAsking) -> StaffMe:
    """Who you are, and what you may do."""
    found = await ask.service(contract.GetStaff(staff_id=StaffId(ask.caller.subject)))
    return StaffMe(
        staff=StaffMember.of(found),
        session_id=ask.caller.session,
        permissions=tuple(sorted(ask.caller.permissions)),
    )


@people.get(
    "/staff",
    summary="List staff",
    responses=responses.errors(),
    openapi_extra=needs(StaffPermission.STAFF_READ),
)
async def list_staff(ask: StaffAsking) -> StaffMemberList:
    """All of them, the longest-standing first."""
    found = await ask.service(contract.ListStaff())
    return StaffMemberList(items=tuple(map(StaffMember.of, found.items)))


@people.post(
    "/staff",
    status_code=201,
    summary="Add to the staff",
    response_model=NewStaffMember,
    responses=responses.errors(409, 413),
    openapi_extra=needs(StaffPermission.STAFF_WRITE),
)
async def create_staff(body: NewStaff, act: StaffActing) -> Response:
    """Answers with a password for the first sign-in, this once."""
    query = contract.CreateStaff(email=body.email, name=body.name, role=body.role)

    async def work() -> Answer:
        created = await act.service(query, limit_s=SLOW_S)
        shown = StaffMember.of(created.staff).model_dump(mode="json")
        return Answer(201, shown, once={"initial_password": created.password.get_secret_value()})

    return await act.once(work)


@people.patch(
    "/staff/{staff_id}",
    summary="Change a member of staff",
    responses=responses.errors(404, 409),
    openapi_extra=needs(StaffPermission.STAFF_WRITE),
)
async def change_staff(staff_id: StaffPath, body: ChangedStaff, ask: StaffAsking) -> StaffMember:
    """Role and state; the last admin stays one."""
    query = contract.ChangeStaff(staff_id=staff_id, role=body.role, state=body.state)
    return StaffMember.of(await ask.service(query))


@people.delete(
    "/staff/{staff_id}",
    status_code=204,
    summary="Remove from the staff",
    responses=responses.errors(404, 409),
    openapi_extra=needs(StaffPermission.STAFF_WRITE),
)
async def remove_staff(staff_id: StaffPath, ask: StaffAsking) -> None:
    """Their sessions end at once."""
    await ask.service(contract.RemoveStaff(staff_id=staff_id))


@people.post(
    "/tenants/{tenant_id}/invites",
    status_code=201,
    summary="Invite somebody to a tenant",
    response_model=Invite,
    responses=responses.errors(402, 404, 409, 413),
    openapi_extra=needs(StaffPermission.TENANTS_WRITE),
)
async def invite_to_tenant(tenant_id: TenantPath, body: NewInvite, act: StaffActing) -> Response:
    """How a tenant gets its first owner. As `POST /invites`, which is for its own people from then on."""
    query = CreateInvite(email=body.email, role=body.role, language=body.language, within=ROLES[Role.OWNER])

    async def work() -> Answer:
        return created_invite(await act.service(query, tenant_id))

    return await act.once(work)


router = APIRouter()
router.include_router(doors)
router.include_router(people)
