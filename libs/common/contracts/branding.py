"""How a tenant's own brand looks, and the hosts that it is shown at (owner: the tenants service)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from libs.common.contracts.ids import DomainId
from libs.common.contracts.message import Body, Event, Query, Signal

MAX_UPLOAD_BYTES = 2 * 1024 * 1024
"""Of a logo or a favicon as it is sent."""
MAX_DOMAINS = 10
"""Custom domains of a tenant."""

Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
"""sRGB, as `#rrggbb` in lower case."""
Text = Annotated[str, Field(pattern=r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]*$")]
Name = Annotated[Text, Field(min_length=1, max_length=100)]
_URI = r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]"  # RFC 3986, 2.1 and 2.2
SupportLink = Annotated[
    str,
    Field(
        max_length=500,
        pattern=rf"^(https://[A-Za-z0-9][A-Za-z0-9.-]*(:\d{{1,5}})?([/?#]{_URI}*)?"
        rf"|mailto:[A-Za-z0-9._+-]+@[A-Za-z0-9][A-Za-z0-9.-]*(\?{_URI}*)?)$",
    ),
]
"""An https address without a user in it, or mailto: nothing that a browser would run."""
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]


class Language(StrEnum):
    """Of what is shown to a tenant's people. Arabic is written from right to left."""

    ENGLISH = "en"
    ARABIC = "ar"

    @property
    def direction(self) -> str:
        """As in HTML's `dir`."""
        return "rtl" if self is Language.ARABIC else "ltr"


class Colours(Body):
    """`text` and what is drawn in `primary` and `accent` stand on `background`."""

    primary: Colour = "#1d4ed8"
    accent: Colour = "#0f766e"
    background: Colour = "#ffffff"
    text: Colour = "#111827"


class BrandFile(Body):
    """A picture that may be shown to anybody: sanitised or made anew. `key` is where it lies."""

    key: str
    sha256: str
    media_type: str
    size: int


class Look(Body):
    """What a tenant says of its brand. `sender_name`: whom its e-mails are from; the display name if None."""

    display_name: Name
    colours: Colours = Colours()
    support_link: SupportLink | None = None
    sender_name: Name | None = None
    language: Language = Language.ENGLISH


class Brand(Look):
    """A brand as it is shown. `favicon`: 32 px, `touch_icon`: 180 px; an SVG may be both."""

    logo: BrandFile | None = None
    favicon: BrandFile | None = None
    touch_icon: BrandFile | None = None


DEFAULT_BRAND = Brand(display_name="Invisible Mannequin")
"""The platform's own: shown wherever no tenant's is."""


class Branding(Body):
    """A tenant's brand, with what concerns the tenant alone. `slug`: its host below the base domain.

    entitled: whether it is shown; what was set is kept while the plan lacks it.
    favicon_uploaded: false while it is made from the logo.
    """

    brand: Brand
    slug: str | None = None
    entitled: bool
    favicon_uploaded: bool = False
    updated_at: datetime | None = None


class GetBranding(Query[Branding]):
    """Of the tenant in the envelope."""

    wire = "tenants.get_branding.v1"
    reply = Branding


class SetBranding(Query[Branding]):
    """For the tenant in the envelope. 402 not_in_plan, 422 contrast_too_low."""

    wire = "tenants.set_branding.v1"
    reply = Branding
    look: Look


class ContrastPair(Body):
    """One colour on another. `ratio` by WCAG 2.2; `nearest` passes, and is None where `passes` is true."""

    foreground: str
    background: str
    ratio: float
    needed: float
    passes: bool
    nearest: Colour | None = None


class ContrastReport(Body):
    items: tuple[ContrastPair, ...]


class CheckColours(Query[ContrastReport]):
    """What `SetBranding` would say of colours, pair by pair."""

    wire = "tenants.check_colours.v1"
    reply = ContrastReport
    colours: Colours


class PictureKind(StrEnum):
    LOGO = "logo"
    FAVICON = "favicon"


UploadName = Annotated[str, Field(pattern=r"^[0-9a-z]{26}$")]


def upload_parts(name: str) -> tuple[str, str, str]:
    """Where, below the tenant's prefix, an upload lies until it has been looked at."""
    return ("branding", "uploads", name)


class SetBrandPicture(Query[Branding]):
    """Take the picture that was put at `upload_parts(upload)`; it is removed from there in any case.

    402 not_in_plan, 422 picture_refused.
    """

    wire = "tenants.set_brand_picture.v1"
    reply = Branding
    kind: PictureKind
    upload: UploadName


class RemoveBrandPicture(Query[Branding]):
    """Fine if there is none. Without an uploaded favicon one is made from the logo again."""

    wire = "tenants.remove_brand_picture.v1"
    reply = Branding
    kind: PictureKind


class DomainStatus(StrEnum):
    """`failing`: the record has been gone for days; the brand is not shown there until it is back."""

    PENDING = "pending"
    VERIFIED = "verified"
    FAILING = "failing"


class DomainFault(StrEnum):
    """Why the last look did not find the record."""

    TXT_MISSING = "txt_missing"
    TXT_DIFFERENT = "txt_different"
    DNS_UNAVAILABLE = "dns_unavailable"


class Domain(Body):
    """A host of a tenant's own. `txt_name` must have a TXT record of `txt_value`, which proves whose it is.

    failures: looks in a row that did not find it.
    """

    id: DomainId
    host: str
    status: DomainStatus
    txt_name: str
    txt_value: str
    fault: DomainFault | None = None
    failures: int = 0
    created_at: datetime
    verified_at: datetime | None = None
    checked_at: datetime | None = None


class DomainList(Body):
    items: tuple[Domain, ...]


class AddDomain(Query[Domain]):
    """A host that is there already is answered as it is. 402 not_in_plan, 409 too_many_domains,
    422 host_refused.
    """

    wire = "tenants.add_domain.v1"
    reply = Domain
    host: str = Field(min_length=1, max_length=253)


class ListDomains(Query[DomainList]):
    wire = "tenants.list_domains.v1"
    reply = DomainList


class GetDomain(Query[Domain]):
    wire = "tenants.get_domain.v1"
    reply = Domain
    domain_id: DomainId


class VerifyDomain(Query[Domain]):
    """Look the record up now. 402 not_in_plan, 409 host_not_available where another tenant proved it."""

    wire = "tenants.verify_domain.v1"
    reply = Domain
    domain_id: DomainId


class RemoveDomain(Query[DomainList]):
    """Those that are left. NotFound."""

    wire = "tenants.remove_domain.v1"
    reply = DomainList
    domain_id: DomainId


class BrandChanged(Event):
    """What the gateway shows: `brand` at `slug` below the base domain and at `hosts`, which are verified.

    A higher `revision` replaces a lower one.
    """

    wire = "tenants.brand_changed.v1"
    brand: Brand
    slug: str | None
    hosts: tuple[str, ...]
    revision: int


class BrandsChanged(Signal):
    """The gateway's stored projection of the brands moved on; every replica reads it again."""

    wire = "gateway.brands_changed.v1"
