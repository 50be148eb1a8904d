"""Errors of erasing tenants.

libs.common.errors.Invalid ── NotConfirmed
libs.common.errors.NotFound ── NoSuchErasure
"""

from __future__ import annotations

from libs.common.errors import Invalid, NotFound


class NotConfirmed(Invalid):
    """`confirm` is not the tenant's name. Type it as it stands in the tenant's settings."""

    default_code = "not_confirmed"


class NoSuchErasure(NotFound):
    """There is no such erasure."""

    default_code = "erasure_not_found"
