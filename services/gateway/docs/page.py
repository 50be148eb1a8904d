"""The guide and the reference as one HTML page, made from the OpenAPI document.

No script and nothing from elsewhere, so that it works where no content network is reachable.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from services.gateway.docs.guide import chapters

Json = dict[str, Any]

STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0; display: grid; grid-template-columns: 17rem 1fr; }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem; box-sizing: border-box;
      border-right: 1px solid var(--line); font-size: .9rem; }
nav a { display: block; color: inherit; text-decoration: none; padding: .1rem 0; }
nav b { display: block; margin-top: 1rem; }
main { padding: 1.5rem 2.5rem; max-width: 60rem; min-width: 0; }
section { border-top: 1px solid var(--line); margin-top: 2rem; padding-top: .5rem; }
code, pre { font: .88em/1.5 ui-monospace, monospace; }
pre { border: 1px solid var(--line); border-radius: .4rem; padding: .8rem; overflow: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
td, th { text-align: left; vertical-align: top; padding: .35rem .6rem .35rem 0;
         border-bottom: 1px solid var(--line); }
.method { font-weight: 700; text-transform: uppercase; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; } }
"""
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; frame-ancestors 'none'"

_CODE = re.compile("`([^`]+)`")


def render(document: Json) -> str:
    """The page for an OpenAPI document."""
    info = document["info"]
    guide = "".join(
        f'<section id="{anchor}"><h2>{escape(title)}</h2>{html}</section>'
        for anchor, title, html in chapters()
    )
    reference = "".join(_operation(document, *operation) for operation in _operations(document))
    schemas = "".join(
        _schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style></head><body>"
        f"<nav>{_navigation(document)}</nav><main><h1>{escape(info['title'])} API</h1>"
        f'{_prose(info["description"])}<p><a href="/api/v1/openapi.json">OpenAPI 3.1 document</a></p>'
        f"{guide}{reference}<section id='schemas'><h2>Schemas</h2>{schemas}</section></main></body></html>"
    )


def _operations(document: Json) -> Iterable[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def _navigation(document: Json) -> str:
    lines = ["<b>Guide</b>"]
    lines += [f'<a href="#{anchor}">{escape(title)}</a>' for anchor, title, _ in chapters()]
    for tag in document["tags"]:
        lines.append(f"<b>{escape(tag['name'])}</b>")
        lines += [
            f'<a href="#{operation["operationId"]}">{escape(operation["summary"])}</a>'
            for _, _, operation in _operations(document)
            if tag["name"] in operation["tags"]
        ]
    return "".join([*lines, '<b><a href="#schemas">Schemas</a></b>'])


def _operation(document: Json, path: str, method: str, operation: Json) -> str:
    return (
        f'<section id="{operation["operationId"]}"><h2>{escape(operation["summary"])}</h2>'
        f'<p><code><span class="method">{method}</span> {escape(path)}</code></p>'
        f"{_prose(operation.get('description', ''))}"
        f"{_parameters(operation.get('parameters', []))}"
        f"{_body(document, operation.get('requestBody'))}"
        f"{_responses(document, operation['responses'])}</section>"
    )


def _parameters(parameters: list[Json]) -> str:
    rows = [
        (
            f"<code>{escape(parameter['name'])}</code>",
            parameter["in"] + (", required" if parameter.get("required") else ""),
            _kind(parameter["schema"]),
            _prose(parameter.get("description", "")),
        )
        for parameter in parameters
    ]
    return _table("Parameters", rows)


def _body(document: Json, body: Json | None) -> str:
    if body is None:
        return ""
    rows = []
    for media_type, content in body["content"].items():
        fields = content["schema"].get("properties", {})
        parts = ", ".join(f"<code>{escape(name)}</code> ({_kind(part)})" for name, part in fields.items())
        rows.append((f"<code>{escape(media_type)}</code>", parts or _kind(content["schema"])))
    return _table("Body", rows) + _example(document, next(iter(body["content"].values())))


def _responses(document: Json, responses: Json) -> str:
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
    return _table("Answers", rows) + examples


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
    heading = f"<h4>{title}</h4>" if title else ""
    cells = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"{heading}<table>{cells}</table>"


def _prose(text: str) -> str:
    """Paragraphs, with `code` between backticks."""
    paragraphs = [escape(part.strip(), quote=False) for part in text.split("\n\n") if part.strip()]
    return "".join("<p>" + _CODE.sub(r"<code>\1</code>", part) + "</p>" for part in paragraphs)
