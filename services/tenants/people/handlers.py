"""The bus edge of people: queries to use cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel

from libs.common.bus.bus import Bus, Delivery, Responder
from libs.common.bus.responders import for_tenant
from libs.common.contracts import people as p
from libs.common.contracts import sso as o
from libs.common.contracts import staff as s
from services.tenants.people.rooms import Rooms


async def attach(bus: Bus, rooms: Rooms) -> None:
    """Respond to everything of `PEOPLE_QUERIES`, `SSO_QUERIES` and `STAFF_QUERIES`."""
    for query, plain in _of_nobody(rooms).items():
        await bus.respond(query, _plain(plain))
    for query, use_case in _of_a_tenant(rooms).items():
        await bus.respond(query, for_tenant(use_case))


def _of_nobody(rooms: Rooms) -> dict[Any, Callable[[Any], Awaitable[BaseModel]]]:
    """Asked before it is known which tenant it is, or by the platform."""
    return {
        p.LogIn: rooms.logins.log_in,
        p.RefreshSession: rooms.sessions.refresh,
        p.EndSession: rooms.sessions.end,
        p.RequestPasswordReset: rooms.passwords.ask_for_link,
        p.ResetPassword: rooms.passwords.reset,
        p.AcceptInvite: rooms.invites.accept,
        o.FinishSso: rooms.sso_logins.finish,
        s.LogInStaff: rooms.staff_logins.log_in,
        s.RefreshStaffSession: rooms.staff_sessions.refresh,
        s.EndStaffSession: rooms.staff_sessions.end,
        s.CreateStaff: rooms.roster.create,
        s.ListStaff: rooms.roster.list,
        s.GetStaff: rooms.roster.get,
        s.ChangeStaff: rooms.roster.change,
        s.RemoveStaff: rooms.roster.remove,
    }


def _of_a_tenant(rooms: Rooms) -> dict[Any, Callable[[Any, Any], Awaitable[BaseModel]]]:
    return {
        p.ListUsers: rooms.members.list,
        p.GetUser: rooms.members.get,
        p.ChangeProfile: rooms.members.change_profile,
        p.ChangeUser: rooms.members.change,
        p.RemoveUser: rooms.members.remove,
        p.ChangePassword: rooms.passwords.change,
        p.BeginTotp: rooms.factor.begin,
        p.ConfirmTotp: rooms.factor.confirm,
        p.RemoveTotp: rooms.factor.remove,
        p.ListSessions: rooms.sessions.list,
        p.EndSessions: rooms.sessions.end_one,
        p.CreateInvite: rooms.invites.create,
        p.ListInvites: rooms.invites.list,
        p.RevokeInvite: rooms.invites.revoke,
        o.GetSso: rooms.sso.get,
        o.SetSso: rooms.sso.set,
        o.RemoveSso: rooms.sso.remove,
        o.BeginSso: rooms.sso_logins.begin,
        s.BeginImpersonation: rooms.impersonations.begin,
        s.ListImpersonations: rooms.impersonations.list,
        s.EndImpersonation: rooms.impersonations.end,
    }


def _plain(use_case: Callable[[Any], Awaitable[BaseModel]]) -> Responder:
    async def respond(delivery: Delivery) -> BaseModel:
        return await use_case(delivery.message)

    return respond
