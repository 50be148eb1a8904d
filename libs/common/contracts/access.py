"""Who may do what: permissions, the roles that bundle them, and who acts.

A permission is also the scope of a token (RFC 6749, 3.3) and of an API key. `<thing>:read` looks,
`<thing>:write` changes; nothing is implied by another.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address

from pydantic import Field

from libs.common.contracts.message import Body


class Permission(StrEnum):
    """What a tenant's callers may be allowed to do. `me:*` is what concerns the caller alone."""

    IMAGES_READ = "images:read"
    IMAGES_WRITE = "images:write"
    HUMAN_MODELS_READ = "human_models:read"
    HUMAN_MODELS_WRITE = "human_models:write"
    CUSTOM_MODELS_READ = "custom_models:read"
    CUSTOM_MODELS_WRITE = "custom_models:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    CREDENTIALS_READ = "credentials:read"
    CREDENTIALS_WRITE = "credentials:write"
    ROUTING_READ = "routing:read"
    ROUTING_WRITE = "routing:write"
    USAGE_READ = "usage:read"
    TENANT_READ = "tenant:read"
    TENANT_WRITE = "tenant:write"
    BRANDING_READ = "branding:read"
    BRANDING_WRITE = "branding:write"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    SSO_READ = "sso:read"
    SSO_WRITE = "sso:write"
    API_KEYS_READ = "api_keys:read"
    API_KEYS_WRITE = "api_keys:write"
    AUDIT_READ = "audit:read"
    EXPORT = "tenant:export"
    ERASE = "tenant:erase"
    ME = "me:write"


class StaffPermission(StrEnum):
    """What the platform's own people may be allowed to do; a realm of its own, of no tenant."""

    TENANTS_READ = "platform:tenants:read"
    TENANTS_WRITE = "platform:tenants:write"
    TENANTS_ERASE = "platform:tenants:erase"
    PLANS_READ = "platform:plans:read"
    PLANS_WRITE = "platform:plans:write"
    USAGE_READ = "platform:usage:read"
    HEALTH_READ = "platform:health:read"
    AUDIT_READ = "platform:audit:read"
    STAFF_READ = "platform:staff:read"
    STAFF_WRITE = "platform:staff:write"
    IMPERSONATE = "platform:impersonate"
    ME = "platform:me:write"


AnyPermission = Permission | StaffPermission


class Role(StrEnum):
    """Of a user in a tenant. An owner may do all; the last one can't be taken away."""

    OWNER = "owner"
    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


class StaffRole(StrEnum):
    """Of one of the platform's people."""

    ADMIN = "platform_admin"
    SUPPORT = "support"
    FINANCE = "finance"


_P = Permission
_READS = frozenset(permission for permission in Permission if permission.endswith(":read"))
_OWN_WORK = frozenset({_P.IMAGES_READ, _P.IMAGES_WRITE, _P.HUMAN_MODELS_READ, _P.HUMAN_MODELS_WRITE})
_VIEWER = _READS - {_P.MEMBERS_READ, _P.SSO_READ, _P.API_KEYS_READ, _P.AUDIT_READ, _P.CREDENTIALS_READ}
_OPERATOR = _VIEWER | _OWN_WORK | {_P.WEBHOOKS_READ, _P.WEBHOOKS_WRITE, _P.CREDENTIALS_READ, _P.MEMBERS_READ}
_OWNERS_ALONE = frozenset({_P.ERASE, _P.EXPORT, _P.SSO_WRITE})

ROLES: Mapping[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.ADMIN: frozenset(Permission) - _OWNERS_ALONE,
    Role.OPERATOR: _OPERATOR | {_P.ME},
    Role.VIEWER: _VIEWER | {_P.ME},
}

_S = StaffPermission
STAFF_ROLES: Mapping[StaffRole, frozenset[StaffPermission]] = {
    StaffRole.ADMIN: frozenset(StaffPermission),
    StaffRole.SUPPORT: frozenset(
        {_S.TENANTS_READ, _S.PLANS_READ, _S.USAGE_READ, _S.HEALTH_READ, _S.IMPERSONATE, _S.ME}
    ),
    StaffRole.FINANCE: frozenset({_S.TENANTS_READ, _S.PLANS_READ, _S.USAGE_READ, _S.ME}),
}

API_KEY_PERMISSIONS = frozenset(Permission) - {
    _P.ME,
    _P.ERASE,
    _P.MEMBERS_WRITE,
    _P.SSO_WRITE,
    _P.API_KEYS_WRITE,
}
"""What an API key may have at most: what only a person should decide is left out."""
DEFAULT_KEY_PERMISSIONS = frozenset(
    {
        *_OPERATOR - {_P.MEMBERS_READ},
        _P.CREDENTIALS_WRITE,
        _P.ROUTING_WRITE,
        _P.CUSTOM_MODELS_WRITE,
    }
)
"""What a key has that was issued without scopes: everything about images, keys of one's own and webhooks."""


class ActorKind(StrEnum):
    """What acts."""

    API_KEY = "api_key"
    USER = "user"
    STAFF = "staff"
    OPERATOR = "operator"
    SERVICE = "service"


class Actor(Body):
    """Who does something, as the audit log keeps it. `id`: of the key, user or person; a service's name.

    `acting_for`: the reason under which one of the platform's people acts inside a tenant.
    """

    kind: ActorKind
    id: str = Field(max_length=100)
    ip: IPv4Address | IPv6Address | None = None
    request_id: str | None = Field(None, max_length=64)
    acting_for: str | None = Field(None, max_length=500)
