"""Errors of the tenants service.

libs.common.errors.NotFound ── NoSuchTenant, NoSuchApiKey
"""

from __future__ import annotations

from libs.common.errors import NotFound


class NoSuchTenant(NotFound):
    """There is no such tenant. `mannequin tenants list` shows those that there are."""

    default_code = "tenant_not_found"


class NoSuchApiKey(NotFound):
    """The tenant has no such API key. `mannequin keys list` shows those that it has."""

    default_code = "api_key_not_found"
