"""What a brand makes of the page, and what is public of it."""

from __future__ import annotations

import base64
import hashlib
import re
import xml.etree.ElementTree as ET

import pytest

from libs.common.contracts.branding import DEFAULT_BRAND, Brand, BrandFile, Colours, Language
from services.gateway.branding import examples, views
from services.gateway.branding.monogram import monogram
from services.gateway.docs.page import Pages
from services.gateway.manifest import manifest
from tests.unit.gateway_app import api_document
from tests.unit.test_gateway_results import BATCH
from tests.unit.test_gateway_routes_of_images import LINKS

PAGES = Pages(api_document())
LUMIERE = Brand(
    display_name="Maison <Lumière> & Co",
    colours=Colours(primary="#7c2d12", background="#fffbf5"),
    support_link="https://help.lumiere.example/?a=1&b='2'",
)
ARABIC = Brand(display_name="بيت الأزياء", language=Language.ARABIC, support_link="mailto:help@bayt.example")


def test_a_brand_shows_on_the_page() -> None:
    """Its name, its logo by the host, its colours and where to ask; nothing from elsewhere and no script."""
    page = PAGES.page(LUMIERE)
    assert "<title>Maison &lt;Lumière&gt; &amp; Co API</title>" in page.html
    assert 'src="/api/v1/branding/logo"' in page.html
    assert "#7c2d12" in page.html
    assert 'href="https://help.lumiere.example/?a=1&amp;b=&#x27;2&#x27;"' in page.html
    assert not re.search(r"<script|@import|url\(|javascript:", page.html)
    assert set(re.findall(r'src="([^"]+)', page.html)) == {"/api/v1/branding/logo"}


def test_arabic_turns_the_page_around_and_leaves_code_as_it_is() -> None:
    """The page's own words are Arabic; the guide, which is English, says so and runs from left to right."""
    html = PAGES.page(ARABIC).html
    assert '<html lang="ar" dir="rtl">' in html
    for word in ("الدليل", "المخططات", "الردود", "الدعم", "بيت الأزياء"):
        assert word in html
    assert ">Guide<" not in html
    assert '<section id="quick-start" lang="en" dir="ltr">' in html


@pytest.mark.parametrize("brand", [DEFAULT_BRAND, LUMIERE, ARABIC])
def test_the_policy_lets_the_browser_use_just_the_styles_of_the_page(brand: Brand) -> None:
    """By a digest that is the style's own, and pictures of the host itself where there is a logo."""
    page = PAGES.page(brand)
    style = re.search(r"<style>(.*?)</style>", page.html, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.content_security_policy
    assert page.content_security_policy.startswith("default-src 'none';")
    assert ("img-src 'self'" in page.content_security_policy) == ("<img" in page.html)


@pytest.mark.parametrize("name", ["Maison", "<script>", "&", "متجر", "🧥 coats", "'\""])
def test_a_monogram_is_an_svg_whatever_the_name(name: str) -> None:
    """With one letter of it, and nothing of it as markup."""
    root = ET.fromstring(monogram(Brand(display_name=name)))
    assert [child.tag.rpartition("}")[2] for child in root] == ["title", "rect", "text"]
    assert root[0].text == name


def test_what_is_public_of_a_brand_tells_nothing_of_the_inside() -> None:
    """Neither where pictures lie, which names the tenant, nor whom e-mails are from."""
    file = BrandFile(key="tenants/ten_x/branding/00ff", sha256="00ff" * 16, media_type="image/png", size=9)
    brand = Brand(display_name="Shop", sender_name="Studio", logo=file, favicon=file, touch_icon=file)
    told = views.PublicBrand.of(brand).model_dump_json()
    assert "ten_x" not in told
    assert "Studio" not in told
    assert "/api/v1/branding/logo?v=00ff00ff00ff" in told


def test_a_manifest_says_whose_brand_its_batch_is_under() -> None:
    """Its name and where to ask; the platform's where the tenant has none."""
    assert manifest(BATCH, [], [], LINKS, LUMIERE)["brand"] == {
        "display_name": "Maison <Lumière> & Co",
        "support_link": LUMIERE.support_link,
    }
    assert manifest(BATCH, [], [], LINKS)["brand"]["display_name"] == "Invisible Mannequin"


def test_examples_are_valid() -> None:
    """By the models that they stand for."""
    views.NewBranding.model_validate(examples.NEW_BRANDING)
    views.PublicBrand.model_validate(examples.PUBLIC_BRAND)
    views.Branding.model_validate(examples.BRANDING)
    views.ContrastReport.model_validate(examples.CONTRAST)
    views.Domain.model_validate(examples.DOMAIN)
