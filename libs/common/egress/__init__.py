"""Calls to addresses that tenants name: to public ones over TLS, and nowhere else."""

from libs.common.egress.connector import ForbiddenAddress, is_forbidden
from libs.common.egress.guard import Guard, UrlForbidden

__all__ = ["ForbiddenAddress", "Guard", "UrlForbidden", "is_forbidden"]
