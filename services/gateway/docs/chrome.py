"""What a brand and its language change on the page: the words around the guide, the colours and the logo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from libs.common.contracts.branding import Brand, Colours, Language


@dataclass(frozen=True, slots=True)
class Words:
    """The page's own words; `title` takes the brand's name."""

    title: str
    guide: str
    schemas: str
    document: str
    parameters: str
    body: str
    answers: str
    support: str


WORDS: Mapping[Language, Words] = {
    Language.ENGLISH: Words(
        title="{} API",
        guide="Guide",
        schemas="Schemas",
        document="OpenAPI 3.1 document",
        parameters="Parameters",
        body="Body",
        answers="Answers",
        support="Support",
    ),
    Language.ARABIC: Words(
        title="واجهة برمجة التطبيقات من {}",
        guide="الدليل",
        schemas="المخططات",
        document="مستند OpenAPI 3.1",
        parameters="المعاملات",
        body="محتوى الطلب",
        answers="الردود",
        support="الدعم",
    ),
}
ICON = '<link rel="icon" href="/api/v1/branding/favicon">'
_STYLE = """
:root {{ color-scheme: only {scheme}; }}
body {{ background: {background}; color: {text}; }}
nav {{ border-inline-start: .35rem solid {primary}; }}
nav img {{ display: block; max-width: 100%; max-height: 4rem; margin-bottom: 1rem; }}
h1 {{ border-bottom: .2rem solid {primary}; padding-bottom: .4rem; }}
main a {{ color: inherit; text-decoration-color: {accent}; text-decoration-thickness: .12em; }}
nav a:hover {{ box-shadow: inset 0 -.12em {accent}; }}
"""


def style(colours: Colours) -> str:
    """Colours where their contrast was checked: text in `text`, lines in the others."""
    scheme = "dark" if _light(colours.text) > _light(colours.background) else "light"
    return _STYLE.format(scheme=scheme, **colours.model_dump())


def _light(colour: str) -> float:
    """Roughly how light a colour is (ITU-R BT.601): enough to tell which scroll bars go with it."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def logo(brand: Brand) -> str:
    """By the host that the page is at."""
    return f'<img src="/api/v1/branding/logo" alt="{escape(brand.display_name)}">'


def support(brand: Brand, words: Words) -> str:
    """Where to ask, if the brand says so."""
    if brand.support_link is None:
        return ""
    return f'<b><a href="{escape(brand.support_link)}" rel="noopener noreferrer">{words.support}</a></b>'
