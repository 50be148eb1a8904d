"""Whether a refresh token is still good: a pure rule, the same for users and staff.

Each refresh turns the token over (OAuth 2.0 Security BCP, RFC 9700, 4.14.2). One that was turned over already
shows that two hold it, so the session ends; but for some seconds, as pages refresh side by side, or as an
answer was lost: then the same next token is given again.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from libs.common.db import Row


class Verdict(Enum):
    """What becomes of a refresh."""

    TURN = auto()
    REPEAT = auto()
    REUSED = auto()
    DEAD = auto()


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session may be unused, and how long a refresh may come twice."""

    idle: timedelta
    grace: timedelta


def judge(session: Row, sha256: str, now: datetime, limits: Limits) -> Verdict:
    """session: the row. sha256: of the token that was presented."""
    over = session["ended_at"] is not None or session["expires_at"] <= now
    if over or session["last_used_at"] + limits.idle <= now:
        return Verdict.DEAD
    if hmac.compare_digest(session["sha256"], sha256):
        return Verdict.TURN
    previous = session["previous_sha256"]
    if previous is None or not hmac.compare_digest(previous, sha256):
        return Verdict.REUSED
    return Verdict.REPEAT if now - session["rotated_at"] <= limits.grace else Verdict.REUSED
