"""Who is in the tenant, and who was asked to come."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from fastapi.responses import Response

from libs.common.contracts import people as contract
from libs.common.contracts.access import Permission
from libs.common.contracts.ids import InviteId, UserId
from services.gateway import people_views as views
from services.gateway import responses
from services.gateway.auth.guard import guarded_router, needs
from services.gateway.gateway import Acting, Asking
from services.gateway.idempotency import Answer
from services.gateway.people_bodies import ChangedMember, NewInvite
from services.gateway.people_views import Invite, InviteList, Member, MemberList

router = guarded_router(prefix="/api/v1", tags=["Members"])
UserPath = Annotated[UserId, Path(description="Id of the member.", examples=[views.USER_ID])]
InvitePath = Annotated[InviteId, Path(description="Id of the invite.", examples=[views.INVITE_ID])]


@router.get(
    "/members",
    summary="List members",
    responses=responses.errors(),
    openapi_extra=needs(Permission.MEMBERS_READ),
)
async def list_members(ask: Asking) -> MemberList:
    """All of them, the longest-standing first."""
    found = await ask.service(contract.ListUsers())
    return MemberList(items=tuple(map(Member.of, found.items)))


@router.get(
    "/members/{user_id}",
    summary="Get a member",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.MEMBERS_READ),
)
async def get_member(user_id: UserPath, ask: Asking) -> Member:
    """With role, state and the ways in that are set up."""
    return Member.of(await ask.service(contract.GetUser(user_id=user_id)))


@router.patch(
    "/members/{user_id}",
    summary="Change a member",
    responses=responses.errors(402, 404, 409),
    openapi_extra=needs(Permission.MEMBERS_WRITE),
)
async def change_member(user_id: UserPath, body: ChangedMember, ask: Asking) -> Member:
    """Role and state; tokens with the old role stop working within a second. Nobody gives or takes a role
    that may do more than their own, and the last owner stays one.
    """
    query = contract.ChangeUser(
        user_id=user_id, within=ask.caller.permissions, role=body.role, state=body.state
    )
    return Member.of(await ask.service(query))


@router.delete(
    "/members/{user_id}",
    status_code=204,
    summary="Remove a member",
    responses=responses.errors(404, 409),
    openapi_extra=needs(Permission.MEMBERS_WRITE),
)
async def remove_member(user_id: UserPath, ask: Asking) -> None:
    """Their sessions end at once. What they did stays in the audit log under their id."""
    await ask.service(contract.RemoveUser(user_id=user_id, within=ask.caller.permissions))


@router.post(
    "/invites",
    status_code=201,
    summary="Invite somebody",
    response_model=Invite,
    responses=responses.errors(402, 409, 413),
    openapi_extra=needs(Permission.MEMBERS_WRITE),
)
async def create_invite(body: NewInvite, act: Acting) -> Response:
    """A letter with a link goes to the address; it works once, within seven days. Where the platform sends no
    e-mail, `link` is in this answer, to be passed on. Inviting an address again replaces its invite.
    """
    query = contract.CreateInvite(
        email=body.email, role=body.role, language=body.language, within=act.caller.permissions
    )

    async def work() -> Answer:
        return created_invite(await act.service(query))

    return await act.once(work)


@router.get(
    "/invites",
    summary="List open invites",
    responses=responses.errors(),
    openapi_extra=needs(Permission.MEMBERS_READ),
)
async def list_invites(ask: Asking) -> InviteList:
    """Of people who have not come yet, the newest first."""
    found = await ask.service(contract.ListInvites())
    return InviteList(items=tuple(map(Invite.of, found.items)))


@router.delete(
    "/invites/{invite_id}",
    status_code=204,
    summary="Take an invite back",
    responses=responses.errors(404),
    openapi_extra=needs(Permission.MEMBERS_WRITE),
)
async def revoke_invite(invite_id: InvitePath, ask: Asking) -> None:
    """Its link is dead at once. Nobody takes one back to a role that may do more than their own."""
    await ask.service(contract.RevokeInvite(invite_id=invite_id, within=ask.caller.permissions))


def created_invite(created: contract.CreatedInvite) -> Answer:
    """The answer that tells of a new invite."""
    shown = Invite.of(created.invite).model_dump(mode="json", exclude={"link"})
    link = created.link.get_secret_value() if created.link else None
    return Answer(201, shown, once={"link": link})
