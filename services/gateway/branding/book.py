"""All brands in memory, so that who is asked for one takes the same time whether there is one or not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.types import Scope

from libs.common.contracts.branding import DEFAULT_BRAND, Brand
from libs.common.contracts.ids import TenantId
from libs.common.db import Row
from services.gateway.branding.hosts import host_of
from services.gateway.branding.views import PublicBrand


@dataclass(frozen=True, slots=True)
class Shown:
    """A brand as anybody may see it: `body` is JSON, `etag` its entity tag."""

    brand: Brand
    body: bytes
    etag: str

    @classmethod
    def of(cls, brand: Brand) -> Shown:
        body = PublicBrand.of(brand).model_dump_json().encode()
        return cls(brand, body, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


PLATFORM = Shown.of(DEFAULT_BRAND)


@dataclass(frozen=True, slots=True)
class KnownBrand:
    """What is known of a tenant's brand. `shown` is None unless it was set and its plan has white-label."""

    tenant: TenantId
    shown: Shown | None
    slug: str | None
    hosts: tuple[str, ...]

    @classmethod
    def of(cls, row: Row) -> KnownBrand:
        set_ = row["entitled"] and row["brand"] is not None
        shown = Shown.of(Brand.model_validate(row["brand"])) if set_ else None
        return cls(TenantId(row["tenant_id"]), shown, row["slug"], tuple(row["hosts"]))


class BrandBook:
    """Brands by host and by tenant. base_domain: tenants are at `<slug>.<base_domain>`.

    public_url: the platform's own address, where no tenant's brand is ever shown.
    """

    def __init__(self, base_domain: str | None, public_url: str | None = None) -> None:
        self._base_domain = base_domain
        self._own = {host for host in (base_domain, urlsplit(public_url or "").hostname) if host}
        self._known: dict[TenantId, KnownBrand] = {}
        self._hosts: Mapping[str, Shown] = {}

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, brands: Iterable[KnownBrand], *, anew: bool = False) -> None:
        """Add brands, or replace what is known of them. anew: these are all that there are."""
        known = {} if anew else dict(self._known)
        known |= {brand.tenant: brand for brand in brands}
        self._known = known
        self._hosts = {
            host: brand.shown for brand in known.values() if brand.shown for host in self._hosts_of(brand)
        }

    def at(self, scope: Scope) -> Shown:
        """The brand of the host that a request was made at; the platform's where there is none."""
        return self._hosts.get(host_of(scope) or "", PLATFORM)

    def of(self, tenant: TenantId) -> Shown:
        """The brand of a tenant, or the platform's."""
        known = self._known.get(tenant)
        return known.shown if known and known.shown else PLATFORM

    def host_of(self, slug: str | None) -> str | None:
        """The tenant's host below the base domain."""
        return f"{slug}.{self._base_domain}" if slug and self._base_domain else None

    def _hosts_of(self, brand: KnownBrand) -> list[str]:
        below = self.host_of(brand.slug)
        return [host for host in (*brand.hosts, *([below] if below else [])) if host not in self._own]
