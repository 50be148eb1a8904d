"""What a route needs its caller to be allowed, said once: where the route is, and in the OpenAPI document.

A route is made with `openapi_extra=needs(Permission.…)`; one without it can't be made at all on a guarded
router. The permission is looked at before the body is.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from libs.common.contracts.access import AnyPermission, Permission, StaffPermission
from services.gateway.auth.caller import Caller, StaffCaller
from services.gateway.errors import Forbidden, Unauthorized

PERMISSION = "x-permission"


def needs(permission: AnyPermission) -> dict[str, Any]:
    """For a route's `openapi_extra`."""
    return {PERMISSION: permission.value}


def permission_of(extra: dict[str, Any] | None) -> AnyPermission:
    """What a route or an operation of the document needs. ValueError if it says nothing."""
    value = (extra or {}).get(PERMISSION)
    for realm in (Permission, StaffPermission):
        if value in tuple(realm):
            return realm(value)
    raise ValueError("a guarded route says what it needs: openapi_extra=needs(Permission.…)")


class GuardedRoute(APIRoute):
    """A route that refuses who may not use it: Unauthorized of the wrong realm, Forbidden without the
    permission.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self._permission = permission_of(options.get("openapi_extra"))
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        permission = self._permission

        async def guarded(request: Request) -> Response:
            admit(request.scope.get("caller"), permission)
            return await handle(request)

        return guarded


def admit(caller: object, permission: AnyPermission) -> None:
    """Return if `caller` may. Unauthorized, Forbidden."""
    realm = Caller if isinstance(permission, Permission) else StaffCaller
    if not isinstance(caller, realm):
        raise Unauthorized
    if permission not in caller.permissions:
        raise Forbidden(permission)


def guarded_router(**options: Any) -> APIRouter:
    """A router whose every route says what it needs."""
    return APIRouter(route_class=GuardedRoute, **options)
