"""Saying who does what: `acting` around what somebody does, and `record` in the transaction that does it."""

from libs.common.audit.acting import acting, current_actor

__all__ = ["acting", "current_actor"]
