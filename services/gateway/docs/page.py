"""The guide and the reference as one HTML page, made from the OpenAPI document.

No script and nothing from elsewhere, so that it works where no content network is reachable.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from libs.common.contracts.branding import DEFAULT_BRAND, Brand
from services.gateway.docs import chrome
from services.gateway.docs.chrome import WORDS, Words
from services.gateway.docs.guide import chapters

Json = dict[str, Any]

STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0; display: grid; grid-template-columns: 17rem 1fr; }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem; box-sizing: border-box;
      border-inline-end: 1px solid var(--line); font-size: .9rem; }
nav a { display: block; color: inherit; text-decoration: none; padding: .1rem 0; }
nav b { display: block; margin-top: 1rem; }
main { padding: 1.5rem 2.5rem; max-width: 60rem; min-width: 0; }
section { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .5rem; }
code, pre { font: .88em/1.5 ui-monospace, monospace; direction: ltr; unicode-bidi: isolate; }
pre { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; overflow: auto; text-align: left; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
td, th { text-align: start; vertical-align: top; padding-block: .35rem; padding-inline: 0 .6rem;
         border-bottom: 1px solid var(--line); }
.method { font-weight: 700; text-transform: uppercase; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; } }
"""

_CODE = re.compile("`([^`]+)`")


def render(document: Json) -> str:
    """The page of the platform itself."""
    return Pages(document).page(DEFAULT_BRAND).html


@dataclass(frozen=True, slots=True)
class Page:
    """The page, and the policy under which a browser shows it."""

    html: str
    content_security_policy: str


class Pages:
    """The page in each language, made once: only what a brand adds is made for each request."""

    def __init__(self, document: Json) -> None:
        info = document["info"]
        self._title = str(info["title"])
        self._parts = {language: _parts(document, words) for language, words in WORDS.items()}

    def page(self, brand: Brand) -> Page:
        """As a brand has it; the platform's own has no logo and leaves the colours to the browser."""
        own = brand is DEFAULT_BRAND or brand == DEFAULT_BRAND
        name = self._title if own else brand.display_name
        style = STYLE if own else STYLE + chrome.style(brand.colours)
        parts, words = self._parts[brand.language], WORDS[brand.language]
        html = (
            f'<!doctype html><html lang="{brand.language.value}" dir="{brand.language.direction}"><head>'
            '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(words.title.format(name))}</title>{'' if own else chrome.ICON}"
            f"<style>{style}</style></head><body>"
            f"<nav>{'' if own else chrome.logo(brand)}{parts.navigation}{chrome.support(brand, words)}</nav>"
            f"<main><h1>{escape(words.title.format(name))}</h1>"
            f'<div lang="en" dir="ltr">{parts.description}</div>'
            f'<p><a href="/api/v1/openapi.json">{words.document}</a></p>{parts.body}</main></body></html>'
        )
        return Page(html, _policy(style, pictures=not own))


def _policy(style: str, *, pictures: bool) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    shown = " img-src 'self';" if pictures else ""
    return f"default-src 'none';{shown} style-src 'sha256-{digest}'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is the same for every brand of a language."""

    navigation: str
    description: str
    body: str


def _parts(document: Json, words: Words) -> _Parts:
    guide = "".join(
        f'<section id="{anchor}" lang="en" dir="ltr"><h2>{escape(title)}</h2>{html}</section>'
        for anchor, title, html in chapters()
    )
    reference = "".join(_operation(document, words, *operation) for operation in _operations(document))
    schemas = "".join(
        _schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())
    )
    listed = (
        f'<section id="schemas"><h2>{words.schemas}</h2><div lang="en" dir="ltr">{schemas}</div></section>'
    )
    description = _prose(document["info"]["description"])
    return _Parts(_navigation(document, words), description, guide + reference + listed)


def _operations(document: Json) -> Iterable[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _navigation(document: Json, words: Words) -> str:
    lines = [f"<b>{words.guide}</b>"]
    lines += [f'<a href="#{anchor}"><bdi>{escape(title)}</bdi></a>' for anchor, title, _ in chapters()]
    for tag in document["tags"]:
        lines.append(f"<b><bdi>{escape(tag['name'])}</bdi></b>")
        lines += [
            f'<a href="#{operation["operationId"]}"><bdi>{escape(operation["summary"])}</bdi></a>'
            for _, _, operation in _operations(document)
            if tag["name"] in operation["tags"]
        ]
    return "".join([*lines, f'<b><a href="#schemas">{words.schemas}</a></b>'])


def _operation(document: Json, words: Words, path: str, method: str, operation: Json) -> str:
    return (
        f'<section id="{operation["operationId"]}" dir="ltr">'
        f'<h2 lang="en">{escape(operation["summary"])}</h2>'
        f'<p><code><span class="method">{method}</span> {escape(path)}</code></p>'
        f"{_prose(operation.get('description', ''))}"
        f"{_parameters(words, operation.get('parameters', []))}"
        f"{_body(document, words, operation.get('requestBody'))}"
        f"{_responses(document, words, operation['responses'])}</section>"
    )


def _parameters(words: Words, parameters: list[Json]) -> str:
    rows = [
        (
            f"<code>{escape(parameter['name'])}</code>",
            parameter["in"] + (", required" if parameter.get("required") else ""),
            _kind(parameter["schema"]),
            _prose(parameter.get("description", "")),
        )
        for parameter in parameters
    ]
    return _table(words.parameters, rows)


def _body(document: Json, words: Words, body: Json | None) -> str:
    if body is None:
        return ""
    rows = []
    for media_type, content in body["content"].items():
        fields = content["schema"].get("properties", {})
        parts = ", ".join(f"<code>{escape(name)}</code> ({_kind(part)})" for name, part in fields.items())
        rows.append((f"<code>{escape(media_type)}</code>", parts or _kind(content["schema"])))
    return _table(words.body, rows) + _example(document, next(iter(body["content"].values())))


def _responses(document: Json, words: Words, responses: Json) -> str:
    rows = [
        (
            status,
            escape(response["description"]),
            "<br>".join(f"<code>{escape(media_type)}</code>" for media_type in response.get("content", ())),
        )
        for status, response in sorted(responses.items())
    ]
    good: Json = next((response for status, response in responses.items() if status[0] == "2"), {})
    examples = "".join(_example(document, content) for content in good.get("content", {}).values())
    return _table(words.answers, rows) + examples


def _example(document: Json, content: Json) -> str:
    if "example" in content:
        return f"<pre>{escape(content['example'])}</pre>"
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    found = document["components"]["schemas"].get(name, {}).get("examples")
    return f"<pre>{escape(json.dumps(found[0], indent=2, ensure_ascii=False))}</pre>" if found else ""


def _schema(name: str, schema: Json) -> str:
    if "enum" in schema:
        values = ", ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
        return f'<h3 id="schema-{name}">{name}</h3>{_prose(schema.get("description", ""))}<p>{values}</p>'
    rows = [
        (f"<code>{escape(field)}</code>", _kind(kind), _prose(kind.get("description", "")))
        for field, kind in schema.get("properties", {}).items()
    ]
    return f'<h3 id="schema-{name}">{name}</h3>{_prose(schema.get("description", ""))}{_table("", rows)}'


def _kind(schema: Json) -> str:
    """A type in words: name, limits and default."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        kind = f'<a href="#schema-{name}">{name}</a>'
    elif "anyOf" in schema:
        kind = " or ".join(_kind(option) for option in schema["anyOf"])
    elif schema.get("type") == "array":
        kind = f"list of {_kind(schema.get('items', {}))}"
    else:
        kind = escape(str(schema.get("format") or schema.get("type", "any")))
    limits = [f"{word} {schema[key]}" for key, word in _LIMITS.items() if key in schema]
    if "default" in schema:
        limits.append(f"default <code>{escape(json.dumps(schema['default']))}</code>")
    return ", ".join([kind, *limits])


_LIMITS = {
    "minimum": "from",
    "maximum": "to",
    "minLength": "at least",
    "maxLength": "at most",
    "const": "always",
}


def _table(title: str, rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    heading = f'<h4 dir="auto">{title}</h4>' if title else ""
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"{heading}<table>{cells}</table>"


def _prose(text: str) -> str:
    """Paragraphs, with `code` between backticks."""
    paragraphs = [escape(part.strip(), quote=False) for part in text.split("\n\n") if part.strip()]
    return "".join("<p>" + _CODE.sub(r"<code>\1</code>", part) + "</p>" for part in paragraphs)
