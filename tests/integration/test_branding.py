"""A tenant's brand: its look and its pictures, in the database and the object storage."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from PIL import Image
from ulid import ULID

from libs.common.contracts.branding import (
    DEFAULT_BRAND,
    Branding,
    Colours,
    GetBranding,
    Language,
    Look,
    PictureKind,
    RemoveBrandPicture,
    SetBranding,
    SetBrandPicture,
    upload_parts,
)
from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import Plan, SetPlan
from libs.common.objects.objects import tenant_key
from services.tenants.branding import contrast
from services.tenants.branding.errors import ContrastTooLow, NotInPlan, PictureRefused
from services.tenants.branding.lookup import brand_of, mail_brand
from services.tenants.errors import NoSuchTenant
from services.tenants.mail import brand as mail
from tests.integration.branding_desk import Desk, branding_desk
from tests.servers.databases import TestDatabase

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8z" onclick="x()"/></svg>'
LOOK = Look(
    display_name="Maison Lumière", language=Language.ARABIC, support_link="https://help.lumiere.example"
)


def photo(side: int = 900, colour: str = "#b00020", format_: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side // 2), colour).save(out, format_)
    return out.getvalue()


@pytest.fixture
async def desk(database: TestDatabase, tmp_path: Path) -> AsyncIterator[Desk]:
    async with branding_desk(database, tmp_path) as desk:
        yield desk


async def send(desk: Desk, tenant: TenantId, data: bytes, kind: PictureKind = PictureKind.LOGO) -> Branding:
    upload = str(ULID()).lower()
    await desk.objects.put(tenant_key(tenant, *upload_parts(upload)), data)
    return await desk.brands.set_picture(SetBrandPicture(kind=kind, upload=upload), tenant)


async def test_a_look_is_kept_told_and_audited(desk: Desk) -> None:
    """With a revision that rises, so that the gateway knows the newest."""
    tenant = await desk.tenant()
    await desk.brands.set_look(SetBranding(look=LOOK), tenant)
    set_ = await desk.brands.set_look(
        SetBranding(look=LOOK.model_copy(update={"sender_name": "Studio"})), tenant
    )
    assert set_.brand.sender_name == "Studio"
    assert (await desk.brands.get(GetBranding(), tenant)) == set_
    told = await desk.told(tenant, "tenants.brand_changed.v1")
    assert [event["revision"] for event in told] == [1, 2]
    assert told[-1]["brand"]["display_name"] == "Maison Lumière"
    audited = await desk.told(tenant, "tenants.action_audited.v1")
    changes = [entry["detail"] for entry in audited if entry["action"] == "branding.changed"]
    assert changes[-1] == {"fields": ["sender_name"]}


async def test_a_brand_that_was_never_set_is_the_tenants_name(desk: Desk) -> None:
    """Reading changes nothing and tells nobody."""
    tenant = await desk.tenant("Shop")
    found = await desk.brands.get(GetBranding(), tenant)
    assert (found.brand.display_name, found.brand.colours, found.entitled) == ("Shop", Colours(), True)
    assert await desk.told(tenant, "tenants.brand_changed.v1") == []


async def test_without_white_label_nothing_can_be_set_and_the_platforms_brand_is_seen(desk: Desk) -> None:
    """What was set before is kept for when the plan has it again."""
    tenant = await desk.tenant()
    await desk.brands.set_look(SetBranding(look=LOOK), tenant)
    async with desk.database.tenant(tenant) as tx:
        assert (await brand_of(tx, tenant)).display_name == "Maison Lumière"
    await desk.tenants.set_plan(SetPlan(plan=Plan()), tenant)
    with pytest.raises(NotInPlan):
        await desk.brands.set_look(SetBranding(look=LOOK), tenant)
    with pytest.raises(NotInPlan):
        await send(desk, tenant, SVG)
    assert desk.stored(tenant) == []
    async with desk.database.tenant(tenant) as tx:
        assert await brand_of(tx, tenant) == DEFAULT_BRAND
    found = await desk.brands.get(GetBranding(), tenant)
    assert (found.entitled, found.brand.display_name) == (False, "Maison Lumière")


async def test_letters_have_the_brand_with_buttons_that_can_be_read(desk: Desk) -> None:
    """White words on a light colour could not; the sender is the one for e-mails, or the brand itself."""
    tenant, plain = await desk.tenant(), await desk.tenant("Plain", Plan())
    dark = Colours(primary="#34d399", accent="#fbbf24", background="#0f172a", text="#e2e8f0")
    look = LOOK.model_copy(update={"colours": dark, "sender_name": "Studio Lumière"})
    await desk.brands.set_look(SetBranding(look=look), tenant)
    async with desk.database.tenant(tenant) as tx:
        letter = await mail_brand(tx, tenant)
    assert (letter.name, letter.sender) == ("Maison Lumière", "Studio Lumière")
    assert letter.support_url == "https://help.lumiere.example"
    assert contrast.ratio(letter.colour, "#ffffff") >= contrast.TEXT
    async with desk.database.tenant(plain) as tx:
        assert await mail_brand(tx, plain) == mail.Brand()


async def test_colours_that_cannot_be_told_apart_are_refused_with_the_nearest_that_can(desk: Desk) -> None:
    """The refusal names the pair, what it has, what it needs and a way out that works."""
    tenant = await desk.tenant()
    grey = LOOK.model_copy(update={"colours": Colours(text="#888888")})
    with pytest.raises(ContrastTooLow) as refusal:
        await desk.brands.set_look(SetBranding(look=grey), tenant)
    assert refusal.value.field == "colours.text"
    assert "#888888 on background #ffffff has a contrast of 3.54:1" in refusal.value.detail
    nearest = refusal.value.detail.rstrip(".").rpartition(" ")[2]
    mended = LOOK.model_copy(update={"colours": Colours(text=nearest)})
    assert (await desk.brands.set_look(SetBranding(look=mended), tenant)).brand.colours.text == nearest


async def test_a_raster_logo_becomes_a_png_with_icons_and_nothing_of_the_file_is_kept(desk: Desk) -> None:
    """The upload is gone, and so are the pictures of the logo before."""
    tenant = await desk.tenant()
    await send(desk, tenant, photo(colour="#004488"))
    found = (await send(desk, tenant, photo())).brand
    sizes = {}
    for file in filter(None, (found.logo, found.favicon, found.touch_icon)):
        data = await desk.objects.read(file.key)
        assert (file.media_type, file.size, data[:4]) == ("image/png", len(data), b"\x89PNG")
        sizes[file.key] = Image.open(io.BytesIO(data)).size
    assert list(sizes.values()) == [(512, 256), (32, 32), (180, 180)]
    assert desk.stored(tenant) == sorted(key.rpartition("/")[2] for key in sizes)


async def test_an_svg_logo_is_sanitised_and_its_own_icon(desk: Desk) -> None:
    """No program here draws SVGs, and browsers take them as icons."""
    tenant = await desk.tenant()
    found = (await send(desk, tenant, SVG)).brand
    assert found.logo == found.favicon == found.touch_icon
    assert found.logo is not None
    data = await desk.objects.read(found.logo.key)
    assert b"<path" in data
    assert b"onclick" not in data


async def test_a_favicon_of_ones_own_stays_when_the_logo_changes(desk: Desk) -> None:
    """And taken away, one is made from the logo again."""
    tenant = await desk.tenant()
    await send(desk, tenant, photo(colour="#004488"))
    own = await send(desk, tenant, photo(64, "#ffcc00", "PNG"), PictureKind.FAVICON)
    after = await send(desk, tenant, photo(colour="#117733"))
    assert (own.favicon_uploaded, after.favicon_uploaded) == (True, True)
    assert own.brand.favicon == after.brand.favicon
    assert own.brand.logo != after.brand.logo
    made = await desk.brands.remove_picture(RemoveBrandPicture(kind=PictureKind.FAVICON), tenant)
    assert not made.favicon_uploaded
    assert made.brand.favicon not in (None, own.brand.favicon)
    bare = await desk.brands.remove_picture(RemoveBrandPicture(kind=PictureKind.LOGO), tenant)
    assert (bare.brand.logo, bare.brand.favicon, bare.brand.touch_icon) == (None, None, None)
    assert desk.stored(tenant) == []


async def test_a_refused_picture_leaves_nothing_behind_and_changes_nothing(desk: Desk) -> None:
    """The upload is removed in any case."""
    tenant = await desk.tenant()
    before = await send(desk, tenant, SVG)
    with pytest.raises(PictureRefused):
        await send(desk, tenant, b"GIF89a" + bytes(100))
    assert (await desk.brands.get(GetBranding(), tenant)).brand == before.brand
    assert before.brand.logo is not None
    assert desk.stored(tenant) == [before.brand.logo.sha256]


async def test_an_upload_that_is_not_there_is_refused_in_words(desk: Desk) -> None:
    """A repeat of a request whose upload was taken already."""
    tenant = await desk.tenant()
    with pytest.raises(PictureRefused, match="Send it again"):
        await desk.brands.set_picture(
            SetBrandPicture(kind=PictureKind.LOGO, upload=str(ULID()).lower()), tenant
        )


async def test_nobody_brands_a_tenant_that_does_not_exist(desk: Desk) -> None:
    """Nor is anything of another tenant's seen."""
    with pytest.raises(NoSuchTenant):
        await desk.brands.set_look(SetBranding(look=LOOK), TenantId.new())
