"""What the API answers of brands and domains."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from libs.client.models import Model


class Look(TypedDict, total=False):
    """What a brand says of itself; what is left out becomes as it was at first.

    colours: any of `primary`, `accent`, `background` and `text`, as `#rrggbb`. support_link: https or mailto.
    language: `en` or `ar`.
    """

    colours: Mapping[str, str]
    support_link: str | None
    sender_name: str | None
    language: str


class BrandPicture(Model):
    """A picture as it is shown. `size` is in bytes."""

    media_type: str
    size: int
    sha256: str


class Branding(Model):
    """Your brand. `shown` is false while the plan lacks white-label; `host` is yours below the platform's."""

    display_name: str
    colours: Mapping[str, str]
    support_link: str | None = None
    sender_name: str | None = None
    language: str = "en"
    direction: str = "ltr"
    logo: BrandPicture | None = None
    favicon: BrandPicture | None = None
    favicon_uploaded: bool = False
    host: str | None = None
    shown: bool = True
    updated_at: datetime | None = None


class PublicBrand(Model):
    """What anybody sees at a host."""

    display_name: str
    colours: Mapping[str, str]
    support_link: str | None = None
    language: str = "en"
    direction: str = "ltr"
    logo_url: str = ""
    favicon_url: str = ""
    touch_icon_url: str = ""


class ContrastPair(Model):
    """One colour on another; `nearest` passes, and is None where the colour itself does."""

    foreground: str
    background: str
    ratio: float
    needed: float
    passes: bool
    nearest: str | None = None


class DnsRecord(Model):
    type: str
    name: str
    value: str


class Domain(Model):
    """A host of your own, which `record` in its DNS proves. `status` is pending, verified or failing."""

    id: str
    host: str
    status: str
    record: DnsRecord
    fault: str | None = None
    failures: int = 0
    created_at: datetime | None = None
    verified_at: datetime | None = None
    checked_at: datetime | None = None
