"""What of a credential ends on a day that is known before, and when its owner is told: pure rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from libs.common.contracts.providers import Fault, FaultCode, ProviderCard
from libs.common.providers import models

CREDENTIAL = "credential"
_CREDENTIAL_DAYS = (30, 7, 1)


@dataclass(frozen=True, slots=True)
class Ending:
    """`subject` (the credential, or a model by its name) ends at `ends_at`; days: when to tell before."""

    subject: str
    ends_at: datetime
    days: tuple[int, ...]
    successor: str | None = None

    @property
    def key(self) -> str:
        """A date that is moved is news again."""
        return f"{self.subject} {self.ends_at:%Y-%m-%d}"


@dataclass(frozen=True, slots=True)
class Notice:
    """An ending that its owner is to be told of now, as being no more than `days` away."""

    ending: Ending
    days: int


def endings(
    card: ProviderCard, settings: Mapping[str, str], expires_at: datetime | None
) -> tuple[Ending, ...]:
    """All that ends of a credential with these settings."""
    return tuple(_endings(card, settings, expires_at))


def due(found: tuple[Ending, ...], warned: Mapping[str, int], now: datetime) -> tuple[Notice, ...]:
    """What to warn of now. `warned`: by the key of an ending, the fewest days of which its owner was told.

    One warning an ending: of several that are due, the closest stands for all. Nothing for what has ended.
    """
    warnings = (_warning(ending, warned.get(ending.key), now) for ending in found)
    return tuple(warning for warning in warnings if warning is not None)


def retired(card: ProviderCard, settings: Mapping[str, str], now: datetime) -> Fault | None:
    """The fault of a credential whose model its provider has retired by now."""
    name = settings.get("model")
    if name is None or not models.retired(card, name, now.astimezone(UTC).date()):
        return None
    return Fault(code=FaultCode.RETIRED, detail=models.why_retired(card, name))


def _endings(
    card: ProviderCard, settings: Mapping[str, str], expires_at: datetime | None
) -> Iterator[Ending]:
    if expires_at is not None:
        yield Ending(CREDENTIAL, expires_at, _CREDENTIAL_DAYS)
    model = models.model_named(card, settings.get("model"))
    if model is not None and model.retires_on is not None:
        successor = models.successor(card, model.name)
        yield Ending(model.name, _start_of(model.retires_on), (models.NOTICE_DAYS,), successor)


def _warning(ending: Ending, told: int | None, now: datetime) -> Notice | None:
    left = ending.ends_at - now
    reached = [days for days in ending.days if left <= timedelta(days=days)]
    if left <= timedelta(0) or not reached:
        return None
    closest = min(reached)
    return None if told is not None and told <= closest else Notice(ending, closest)


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
