"""What the API shows and takes of brands."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from libs.common.contracts import branding as contract
from libs.common.contracts.branding import (
    Brand,
    BrandFile,
    DomainFault,
    DomainStatus,
    Language,
    SupportLink,
)
from libs.common.contracts.ids import DomainId
from services.gateway.branding import examples
from services.gateway.views import shown

BASE = "/api/v1/branding"
HexColour = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$"), AfterValidator(str.lower)]


class Colours(BaseModel):
    """sRGB as `#rrggbb`. `text` needs 4.5:1 on `background`, `primary` and `accent` 3:1 (WCAG 2.2 AA)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    primary: HexColour = contract.Colours().primary
    accent: HexColour = contract.Colours().accent
    background: HexColour = contract.Colours().background
    text: HexColour = contract.Colours().text


class PublicBrand(BaseModel):
    """How whoever is at this host presents itself. Addresses are relative to the host."""

    model_config = shown(examples.PUBLIC_BRAND)

    display_name: str
    colours: Colours
    support_link: str | None
    language: Language
    direction: str = Field(description="`ltr` or `rtl`, as in HTML.")
    logo_url: str
    favicon_url: str
    touch_icon_url: str

    @classmethod
    def of(cls, brand: Brand) -> Self:
        return cls(
            display_name=brand.display_name,
            colours=Colours.model_validate(brand.colours.model_dump()),
            support_link=brand.support_link,
            language=brand.language,
            direction=brand.language.direction,
            logo_url=f"{BASE}/logo{_version(brand.logo)}",
            favicon_url=f"{BASE}/favicon{_version(brand.favicon)}",
            touch_icon_url=f"{BASE}/favicon?size=180{_version(brand.touch_icon, '&')}",
        )


def _version(file: BrandFile | None, sign: str = "?") -> str:
    """Another address for another picture, whatever a browser has kept."""
    return f"{sign}v={file.sha256[:12]}" if file else ""


class Picture(BaseModel):
    """A picture as it is shown: sanitised, or made anew. `size` is in bytes."""

    model_config = ConfigDict(frozen=True)

    media_type: str
    size: int
    sha256: str


class Branding(BaseModel):
    """Your brand. `host` is yours below the platform's domain, if it has one.

    `shown` is false while the plan lacks white-label: what was set is kept, and the platform's brand is seen.
    `favicon` is made from the logo while `favicon_uploaded` is false.
    """

    model_config = shown(examples.BRANDING)

    display_name: str
    colours: Colours
    support_link: str | None
    sender_name: str | None
    language: Language
    direction: str
    logo: Picture | None
    favicon: Picture | None
    favicon_uploaded: bool
    host: str | None
    shown: bool
    updated_at: datetime | None

    @classmethod
    def of(cls, branding: contract.Branding, host: str | None) -> Self:
        brand = branding.brand
        return cls(
            display_name=brand.display_name,
            colours=Colours.model_validate(brand.colours.model_dump()),
            support_link=brand.support_link,
            sender_name=brand.sender_name,
            language=brand.language,
            direction=brand.language.direction,
            logo=_picture(brand.logo),
            favicon=_picture(brand.favicon),
            favicon_uploaded=branding.favicon_uploaded,
            host=host,
            shown=branding.entitled,
            updated_at=branding.updated_at,
        )


def _picture(file: BrandFile | None) -> Picture | None:
    return Picture.model_validate(file.model_dump(exclude={"key"})) if file else None


class NewBranding(BaseModel):
    """The whole look of your brand: what is left out becomes as it was at first."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [examples.NEW_BRANDING]})

    display_name: contract.Name
    colours: Colours = Colours()
    support_link: SupportLink | None = Field(None, description="An https address, or mailto:.")
    sender_name: contract.Name | None = Field(None, description="Whom e-mails to your people are from.")
    language: Language = Language.ENGLISH

    def look(self) -> contract.Look:
        return contract.Look.model_validate(self.model_dump())


class ContrastPair(BaseModel):
    """One colour on another; `nearest` is the nearest of the same hue that passes, null if it does."""

    model_config = ConfigDict(frozen=True)

    foreground: str
    background: str
    ratio: float
    needed: float
    passes: bool
    nearest: str | None


class ContrastReport(BaseModel):
    """`text`, `primary` and `accent`, in this order, each on `background`."""

    model_config = shown(examples.CONTRAST)

    items: tuple[ContrastPair, ...]


class NewDomain(BaseModel):
    """A host of your own, such as `photos.example.com`; other scripts are taken as they are written."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"host": "photos.example.com"}]}
    )

    host: str = Field(min_length=1, max_length=253, pattern=r"^[^\u0000-\u0020\u007f-\u009f\ufffe\uffff]+$")


class DnsRecord(BaseModel):
    """What to put into your DNS, and to leave there."""

    model_config = ConfigDict(frozen=True)

    type: str = "TXT"
    name: str
    value: str


class Domain(BaseModel):
    """A host of your own. Your brand is shown there while it is `verified`, looked up each day.

    `failing`: the record was gone for `failures` days in a row. `fault` says what the last look found.
    """

    model_config = shown(examples.DOMAIN)

    id: DomainId
    host: str
    status: DomainStatus
    record: DnsRecord
    fault: DomainFault | None
    failures: int
    created_at: datetime
    verified_at: datetime | None
    checked_at: datetime | None

    @classmethod
    def of(cls, domain: contract.Domain) -> Self:
        record = DnsRecord(name=domain.txt_name, value=domain.txt_value)
        return cls.model_validate({**domain.model_dump(), "record": record})


class DomainPage(BaseModel):
    """All of them: there are 10 at most."""

    items: tuple[Domain, ...]
    next_cursor: str | None = None
