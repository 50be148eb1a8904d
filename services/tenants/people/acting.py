"""Who acts where the request came without a credential: whoever it turned out to be."""

from __future__ import annotations

from libs.common.audit import current_actor
from libs.common.contracts.access import Actor, ActorKind
from libs.common.contracts.people import Client

_NOWHERE = Client()


def by_user(user_id: str, client: Client = _NOWHERE) -> Actor:
    """A user, from where the request came."""
    return _by(ActorKind.USER, user_id, client)


def by_staff(staff_id: str, client: Client = _NOWHERE) -> Actor:
    """One of the platform's people."""
    return _by(ActorKind.STAFF, staff_id, client)


def _by(kind: ActorKind, who: str, client: Client) -> Actor:
    asked = current_actor()
    return Actor(
        kind=kind,
        id=who,
        ip=client.ip or (asked.ip if asked else None),
        request_id=asked.request_id if asked else None,
    )
