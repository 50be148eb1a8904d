"""Whose key pays: the one rule by which an image gets its route, without any I/O.

A decision is made for images alike, when they are released, from how things stand then. It is total: whatever
plan, policy, keys and caps there are, each of the images is in one of its shares or in its rest, and both say
in words why.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from libs.common.contracts.credentials import HealthState
from libs.common.contracts.ids import CredentialId
from libs.common.contracts.providers import Ability, Payer, ProviderName, Route
from libs.common.contracts.routing import PolicyName, RoutingPolicy, WhenUnavailable
from libs.common.contracts.tenants import Plan

FALLBACK = "fallback"
"""The account of a tenant that falling back to the platform counts on; the others are its credentials."""
MOST_FAULTS = 3
"""Faults of the provider after which a key counts as failed: for the image, or in a row for all images."""
IN_FLIGHT = timedelta(seconds=1)
"""What holds a cap's last images up is looked at again so soon: it settles as images come back."""
_NO_KEY = "there is no key of yours"


@dataclass(frozen=True, slots=True)
class Budget:
    """A monthly cap (USD, None: none), what of it is charged, and what is reserved for images in flight."""

    cap: Decimal | None = None
    charged: Decimal = Decimal(0)
    reserved: Decimal = Decimal(0)

    def room(self, price: Decimal) -> int | None:
        """Images at `price` that fit in what is left; None: any number."""
        if self.cap is None:
            return None
        left = self.cap - self.charged - self.reserved
        if price <= 0:
            return None if left > 0 else 0
        return max(0, int(left // price))

    def reached(self, price: Decimal) -> bool:
        """Whether not one more fits, even if nothing of what is reserved were charged."""
        return self.cap is not None and (self.charged >= self.cap or self.charged + price > self.cap)


@dataclass(frozen=True, slots=True)
class Pause:
    """A key is not tried before `until`, as calls on it failed. `failed`: until then it counts as failed."""

    until: datetime
    failed: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Key:
    """A credential as routing sees it.

    `price` is what an image is expected to cost (USD), `most` what it can cost: so much is reserved. `region`
    and `model` are what it is set to, None where it names none. `retires_on`: when the model does.
    `renewed_at`: faults from before are void.
    """

    id: CredentialId
    provider: ProviderName
    label: str
    version: int
    health: HealthState
    abilities: tuple[Ability, ...]
    price: Decimal
    most: Decimal
    detail: str = ""
    enabled: bool = True
    priority: int = 0
    region: str | None = None
    model: str | None = None
    regions: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    expires_at: datetime | None = None
    retires_on: date | None = None
    successor: str | None = None
    pause: Pause | None = None
    renewed_at: datetime | None = None
    budget: Budget = Budget()
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        return f"{self.provider.value} key {self.label!r}"


@dataclass(frozen=True, slots=True)
class Platform:
    """What the platform's own computing costs an image, and by what price table everything is priced."""

    price: Decimal
    price_table: str


@dataclass(frozen=True, slots=True)
class Standing:
    """All that decides over a tenant's images.

    `fallback`: what falling back may cost, by the tenant's own cap and by the plan's.
    """

    platform: Platform
    plan: Plan = field(default_factory=Plan)
    policy: RoutingPolicy = field(default_factory=RoutingPolicy)
    keys: tuple[Key, ...] = ()
    fallback_charged: Decimal = Decimal(0)
    fallback_reserved: Decimal = Decimal(0)

    @property
    def fallback(self) -> Budget:
        caps = (self.plan.fallback_monthly_cap, self.policy.fallback_monthly_cap)
        cap = min((cap for cap in caps if cap is not None), default=None)
        return Budget(cap, self.fallback_charged, self.fallback_reserved)


@dataclass(frozen=True, slots=True)
class Tried:
    """How often a version of a credential failed an image."""

    credential_id: CredentialId
    version: int
    faults: int


@dataclass(frozen=True, slots=True)
class Work:
    """What images alike need. `segment`: only the platform's own rendering around a segmentation will do.
    `on_model`: the garment on a person.
    """

    segment: bool = False
    tried: tuple[Tried, ...] = ()
    on_model: bool = False

    @property
    def abilities(self) -> tuple[Ability, ...]:
        """Any of these will do, best first: around a segmentation, more of the photo's own pixels stay; on a
        person, who can draw that goes first, as the platform's own fit bends a garment only so far.
        """
        if self.segment:
            return (Ability.SEGMENT,)
        return (Ability.ON_MODEL, Ability.SEGMENT) if self.on_model else (Ability.SEGMENT, Ability.GHOST)

    def worn_out(self, key: Key) -> bool:
        """Whether this version of the key has failed these images too often."""
        return any(
            (tried.credential_id, tried.version) == (key.id, key.version) and tried.faults >= MOST_FAULTS
            for tried in self.tried
        )


@dataclass(frozen=True, slots=True)
class Share:
    """So many of the images on this route. `most` is reserved for each on `account` (None: nowhere)."""

    route: Route
    images: int
    most: Decimal
    account: str | None


@dataclass(frozen=True, slots=True)
class Capped:
    """A cap that held images back. `reached`: for this month; else what is in flight may leave some of it."""

    account: str
    cap: Decimal
    spent: Decimal
    reached: bool


@dataclass(frozen=True, slots=True)
class Decision:
    """`rest` of the images have no route: they wait or fail, because of `reason`.

    `capped`: caps that kept images from a route. `look_at`: when time alone may open a route for the rest.
    """

    shares: tuple[Share, ...]
    rest: int
    then: WhenUnavailable
    reason: str
    capped: tuple[Capped, ...] = ()
    look_at: datetime | None = None


def decide(standing: Standing, work: Work, images: int, now: datetime) -> Decision:
    """Routes for `images` images alike, best first, each as far as its cap goes."""
    if standing.policy.policy is PolicyName.PLATFORM:
        return _platform(standing, images)
    choice = _Choice(now, max(0, images))
    for key in _in_order(standing.keys):
        if choice.rest:
            _offer(choice, key, standing, work)
    if standing.policy.policy is PolicyName.BYOK_THEN_PLATFORM and choice.rest and not choice.soon:
        _fall_back(choice, standing)
    return Decision(
        tuple(choice.shares),
        choice.rest,
        WhenUnavailable.WAIT if choice.soon else standing.policy.when_unavailable,
        choice.reason,
        tuple(choice.capped),
        choice.look_at() if choice.rest else None,
    )


@dataclass(slots=True)
class _Choice:
    """A decision in the making. `soon`: moments at which a key that only rests may be tried again."""

    now: datetime
    rest: int
    shares: list[Share] = field(default_factory=list)
    why: list[str] = field(default_factory=list)
    capped: list[Capped] = field(default_factory=list)
    soon: list[datetime] = field(default_factory=list)
    later: list[datetime] = field(default_factory=list)

    def take(self, route: Route, budget: Budget, account: str, most: Decimal) -> bool:
        """Put as many of the rest on the route as its cap allows; False if it allows not all of them."""
        room = budget.room(most)
        images = self.rest if room is None else min(self.rest, room)
        if images:
            self.shares.append(Share(route, images, most, account))
            self.rest -= images
        if self.rest and budget.cap is not None:
            spent = budget.charged + budget.reserved + images * most
            self.capped.append(Capped(account, budget.cap, spent, budget.reached(most)))
        return not self.rest

    @property
    def reason(self) -> str:
        """Why the rest has no route; there may be none."""
        if not self.rest:
            return "every image has a route"
        return "; ".join(dict.fromkeys(self.why)) or _NO_KEY

    def look_at(self) -> datetime | None:
        """When a pause ends, something in flight is through, or the month is over with its caps."""
        month = [next_month(self.now)] if self.capped else []
        return min([*self.soon, *self.later, *month], default=None)


def _offer(choice: _Choice, key: Key, standing: Standing, work: Work) -> None:
    """Give the key what it may take of the rest, or keep in mind why it may not."""
    now = choice.now
    if refusal := _refusal(standing, key, work, now):
        choice.why.append(refusal)
        if key.pause is not None and key.pause.until > now:
            (choice.soon if _rests(key, key.pause, standing, work, now) else choice.later).append(
                key.pause.until
            )
    elif not choice.take(_key_route(key, standing, work), key.budget, key.id, key.most):
        if key.budget.reached(key.most):
            choice.why.append(f"the monthly cap of your {key.name} is reached")
        else:
            choice.why.append(f"what is in flight may use up the monthly cap of your {key.name}")
            choice.soon.append(now + IN_FLIGHT)


def _fall_back(choice: _Choice, standing: Standing) -> None:
    """Give the rest to the platform as far as plan and caps allow."""
    if not standing.plan.fallback:
        choice.why.append("your plan does not hold falling back to the platform")
        return
    price, budget = standing.platform.price, standing.fallback
    route = _platform_route(standing, f"fallback to the platform: {choice.reason}", fallback=True)
    if not choice.take(route, budget, FALLBACK, price):
        if budget.reached(price):
            choice.why.append("the monthly cap of falling back to the platform is reached")
        else:
            choice.why.append("what is in flight may use up the monthly cap of falling back to the platform")
            choice.soon.append(choice.now + IN_FLIGHT)


def usable(standing: Standing, work: Work, now: datetime) -> Iterator[Key]:
    """The keys that such images may go on now, best first; caps aside."""
    return (key for key in _in_order(standing.keys) if not _refusal(standing, key, work, now))


def _platform(standing: Standing, images: int) -> Decision:
    reason = "your routing policy is to have the platform compute"
    route = _platform_route(standing, reason)
    share = Share(route, images, standing.platform.price, None)
    return Decision((share,) if images > 0 else (), 0, standing.policy.when_unavailable, reason)


def _platform_route(standing: Standing, reason: str, *, fallback: bool = False) -> Route:
    return Route.model_construct(
        provider=ProviderName.ONNX,
        payer=Payer.PLATFORM,
        ability=Ability.SEGMENT,
        credential_id=None,
        credential_version=None,
        settings={},
        fallback=fallback,
        reason=reason,
        price=standing.platform.price,
        price_table=standing.platform.price_table,
    )


def _in_order(keys: Sequence[Key]) -> list[Key]:
    """Degraded keys after the others; the highest priority first; the oldest of equals."""
    return sorted(keys, key=lambda key: (key.health is HealthState.DEGRADED, -key.priority, key.id))


def _refusal(standing: Standing, key: Key, work: Work, now: datetime) -> str | None:
    """Why the key may not take these images, or None; caps aside."""
    if not standing.plan.byok:
        return "your plan does not hold keys of your own"
    return _unfit(key, now) or _unable(key, work) or _failing(key, work, now)


def _unfit(key: Key, now: datetime) -> str | None:
    """Why the key takes no images at all, as it stands or as its owner limited it."""
    if not key.enabled:
        return f"your {key.name} is disabled"
    if not key.health.usable:
        return f"your {key.name} is {key.health.value}{_because(key.detail)}"
    if key.expires_at is not None and key.expires_at <= now:
        return f"your {key.name} expired on {key.expires_at:%Y-%m-%d}"
    if key.retires_on is not None and key.retires_on <= now.date():
        successor = f"; use {key.successor}" if key.successor else ""
        return f"the model {key.model} of your {key.name} is retired{successor}"
    if key.regions and key.region not in key.regions:
        return f"your {key.name} is not in a region that it is limited to"
    if key.models and key.model not in key.models:
        return f"your {key.name} is not set to a model that it is limited to"
    return None


def _unable(key: Key, work: Work) -> str | None:
    if set(work.abilities) & set(key.abilities):
        return None
    if not key.abilities:
        return f"the model {key.model} of your {key.name} is not one that the platform knows"
    needed = "segment" if work.segment else "render"
    return f"your {key.name} can't {needed} these images"


def _failing(key: Key, work: Work, now: datetime) -> str | None:
    if work.worn_out(key):
        return f"your {key.name} failed these images {MOST_FAULTS} times"
    if key.pause is not None and key.pause.until > now:
        return f"your {key.name} is not tried again yet{_because(key.pause.detail)}"
    return None


def _rests(key: Key, pause: Pause, standing: Standing, work: Work, now: datetime) -> bool:
    """Whether nothing but a short pause keeps these images from the key: worth waiting for."""
    kept = _unfit(key, now) or _unable(key, work) or work.worn_out(key)
    return standing.plan.byok and not pause.failed and not kept


def _key_route(key: Key, standing: Standing, work: Work) -> Route:
    because = _because(key.detail) if key.health is HealthState.DEGRADED else ""
    # Constructed and not validated: all of it was, and this is done for every few images.
    return Route.model_construct(
        provider=key.provider,
        payer=Payer.TENANT,
        ability=next(ability for ability in work.abilities if ability in key.abilities),
        credential_id=key.id,
        credential_version=key.version,
        settings=dict(key.settings),
        fallback=False,
        reason=f"your {key.name} is {key.health.value}{because}",
        price=key.price,
        price_table=standing.platform.price_table,
    )


def next_month(now: datetime) -> datetime:
    """When the caps begin anew (UTC)."""
    first = month_of(now)
    return datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC)


def month_of(now: datetime) -> date:
    """The first day of the month (UTC), as spending is kept by."""
    return now.astimezone(UTC).date().replace(day=1)


def _because(detail: str) -> str:
    return f" ({detail.rstrip('.')})" if detail else ""
