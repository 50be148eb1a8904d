"""Errors of the bus.

libs.common.errors
├── Permanent ── Unroutable
├── Permanent ── NotInFlow
├── Permanent ── TooLarge
└── Unavailable (as it is)
"""

from __future__ import annotations

from libs.common.errors import Permanent


class Unroutable(Permanent):
    """No queue takes this message. Start the consumer's topology first, or add the consumer to `flow.py`."""


class NotInFlow(Permanent):
    """`contracts/flow.py` does not give this service that message. Add it there, or mend the sender."""


class TooLarge(Permanent):
    """A message is larger than a broker takes. Put the bulk into object storage and send its key."""
