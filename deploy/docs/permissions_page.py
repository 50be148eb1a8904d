"""Which role and key may do what, as the contracts say it."""

from __future__ import annotations

from libs.common.contracts.access import (
    API_KEY_PERMISSIONS,
    DEFAULT_KEY_PERMISSIONS,
    ROLES,
    STAFF_ROLES,
    Permission,
    Role,
    StaffPermission,
    StaffRole,
)

_HEAD = """# Roles and permissions

A permission is also the scope of a token and of an API key. Nothing is implied by another: what is read and
what is written are two permissions. Each operation of the [endpoints](api.md) names the one that it needs.

## Users and API keys of a tenant

`key` is what an API key has that was issued without scopes; one may be issued with any permission that is
marked with ○ as well.
"""
_STAFF = """
## The platform's own people

A realm of its own: none of these opens anything of a tenant. To act inside one, `platform:impersonate` gives
a role of that tenant for at most an hour, for a reason that stands in the tenant's audit log.
"""


def permissions_page() -> str:
    """Two matrices."""
    lines = [_HEAD, _heading([*Role, "key"])]
    for permission in Permission:
        marks = ["●" if permission in ROLES[role] else "" for role in Role]
        lines.append(_row(permission, [*marks, _key_mark(permission)]))
    lines += [_STAFF, _heading(list(StaffRole))]
    for duty in StaffPermission:
        lines.append(_row(duty, ["●" if duty in STAFF_ROLES[role] else "" for role in StaffRole]))
    return "\n".join([*lines, ""])


def _key_mark(permission: Permission) -> str:
    if permission in DEFAULT_KEY_PERMISSIONS:
        return "●"
    return "○" if permission in API_KEY_PERMISSIONS else ""


def _heading(columns: list[str]) -> str:
    return f"| permission | {' | '.join(columns)} |\n| --- |{' :-: |' * len(columns)}"


def _row(name: str, marks: list[str]) -> str:
    return f"| `{name}` | {' | '.join(marks)} |"
