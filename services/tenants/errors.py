"""Errors of the tenants service, but for those of its areas.

libs.common.errors
├── NotFound   ── NoSuchTenant, NoSuchApiKey, NoSuchPlan
├── Invalid    ── SlugRefused, ScopeRefused, NetworkInvalid, ExpiryPassed, TermsInvalid
├── NotAllowed ── ScopeBeyondCaller
└── Conflict   ── SlugTaken, TenantIsErasing, PlanRetired, TooManyPlans
                  TooManyApiKeys, ApiKeyEnded, ApiKeyReplaced
"""

from __future__ import annotations

from libs.common.errors import Conflict, Invalid, NotAllowed, NotFound


class NoSuchTenant(NotFound):
    """There is no such tenant. `mannequin tenants list` shows those that there are."""

    default_code = "tenant_not_found"


class NoSuchApiKey(NotFound):
    """The tenant has no such API key. List its keys to see those that it has."""

    default_code = "api_key_not_found"


class NoSuchPlan(NotFound):
    """There is no such plan. List the plans to see those that there are."""

    default_code = "plan_not_found"


class SlugRefused(Invalid):
    """That name below the platform's domain can't be a tenant's. Take another."""

    default_code = "slug_refused"


class ScopeRefused(Invalid):
    """A scope that no API key may have, or none at all."""

    default_code = "scope_refused"


class NetworkInvalid(Invalid):
    """That is neither an IP address nor a network in CIDR notation."""

    default_code = "network_invalid"


class ExpiryPassed(Invalid):
    """The key would have ended before it began. Give a moment to come."""

    default_code = "expiry_passed"


class TermsInvalid(Invalid):
    """The tenant's own terms do not fit a plan."""

    default_code = "terms_invalid"


class ScopeBeyondCaller(NotAllowed):
    """Nobody hands on what they may not do themselves."""

    default_code = "scope_beyond_caller"


class SlugTaken(Conflict):
    """Another tenant has that name. Take another."""

    default_code = "slug_taken"


class TenantIsErasing(Conflict):
    """The tenant is being erased: nothing of it can be changed any more."""

    default_code = "tenant_erasing"


class PlanRetired(Conflict):
    """Nobody new is put on that plan. Take another, or define it anew."""

    default_code = "plan_retired"


class TooManyPlans(Conflict):
    """There are as many plans as there can be."""

    default_code = "too_many_plans"


class TooManyApiKeys(Conflict):
    """The tenant has as many working keys as it can have. Revoke one that is no longer needed."""

    default_code = "too_many_api_keys"


class ApiKeyEnded(Conflict):
    """The key was revoked, or its time is over."""

    default_code = "api_key_ended"


class ApiKeyReplaced(Conflict):
    """The key was rotated before; rotate the one in its place."""

    default_code = "api_key_replaced"
