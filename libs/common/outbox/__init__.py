"""Exactly-once effects over an at-least-once bus: facts leave by the outbox, repeats stop at the inbox."""

from libs.common.outbox.inbox import once
from libs.common.outbox.relay import Relay

__all__ = ["Relay", "once"]
