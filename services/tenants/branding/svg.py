"""Making an SVG safe to show to anybody: no script, nothing from elsewhere, and of a size that can be drawn.

Twice, by two programs that share nothing: py-svg-hush (an allow list in Rust), then the allow list here. What
could make either of them swell is refused before: entities, depth, numbers of elements.
https://www.w3.org/TR/SVG2/
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from xml.parsers import expat

import py_svg_hush

from services.tenants.branding.refused import Refused

MAX_BYTES = 256 * 1024
MAX_ELEMENTS = 5_000
MAX_DEPTH = 64
MAX_DRAWN = 20_000
"""Elements that are drawn once every `use` and every pattern in a pattern has been followed."""

_SVG = "http://www.w3.org/2000/svg"
_XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
_ELEMENTS = re.compile(
    r"""svg|g|defs|symbol|title|desc|path|rect|circle|ellipse|line|polyline|polygon|text|tspan|textPath|switch
    |a|linearGradient|radialGradient|stop|clipPath|mask|pattern|marker|use|style|filter
    |fe(Blend|ColorMatrix|ComponentTransfer|Composite|ConvolveMatrix|DiffuseLighting|DisplacementMap
    |DistantLight|DropShadow|Flood|Func[ABGR]|GaussianBlur|Merge|MergeNode|Morphology|Offset|PointLight
    |SpecularLighting|SpotLight|Tile|Turbulence)""",
    re.VERBOSE,
)
_PROLOGUE = re.compile(r"^\s*<\?xml[^>]*\?>")
_PLAIN_DOCTYPE = re.compile(r"<!DOCTYPE\s+svg\b[^\[\]<>]*>", re.IGNORECASE)
_DECLARATION = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_URL = re.compile(r"url\s*\(", re.IGNORECASE)
_OWN_URL = re.compile(r"""url\(\s*(["']?)#([\w.:-]+)\1\s*\)""")
_FRAGMENT = re.compile(r"#([\w.:-]+)")
_SCHEME = re.compile(r"(javascript|data|vbscript|file|https?)\s*:", re.IGNORECASE)


def sanitised(raw: bytes) -> bytes:
    """The picture without what it must not have. Refused."""
    text = _plain(raw)
    _measured(text)
    try:
        hushed = py_svg_hush.filter_svg(text.encode())
    except ValueError:
        raise Refused("The SVG can't be read.") from None
    root = ET.fromstring(hushed)  # noqa: S314  # no declaration is left, so there are no entities
    if root.tag != f"{{{_SVG}}}svg":
        raise Refused("The file is not an SVG.")
    _scrub(root)
    _check_size(root)
    _check_references(root)
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    clean: bytes = ET.tostring(root, encoding="utf-8")
    return clean


def _plain(raw: bytes) -> str:
    """The text without its prologue, so that no reader can take it for another encoding."""
    if len(raw) > MAX_BYTES:
        raise Refused(f"An SVG may have {MAX_BYTES // 1024} KiB at most.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("The SVG is not UTF-8.") from None
    text = _PLAIN_DOCTYPE.sub("", _PROLOGUE.sub("", text), count=1)
    if "\0" in text or _DECLARATION.search(text):
        raise Refused("The SVG declares entities. Save it as plain SVG.")
    return text


def _measured(text: str) -> None:
    """Refused if it is too deep or has too many elements, before anything builds a tree of it."""
    counter = _Counter()
    parser = expat.ParserCreate(encoding="utf-8")
    parser.StartElementHandler, parser.EndElementHandler = counter.begins, counter.ends
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError:
        raise Refused("The SVG is not well-formed XML.") from None


class _Counter:
    def __init__(self) -> None:
        self._depth = 0
        self._elements = 0

    def begins(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise Refused(f"The SVG has over {MAX_ELEMENTS:,} elements, or is over {MAX_DEPTH} deep.")

    def ends(self, name: str) -> None:
        self._depth -= 1


def _scrub(element: ET.Element) -> None:
    """Takes out what is not on the list, in place."""
    for child in list(element):
        if not _ELEMENTS.fullmatch(child.tag.removeprefix(f"{{{_SVG}}}")):
            element.remove(child)
        else:
            _scrub(child)
    for name, value in list(element.attrib.items()):
        if not _harmless(name, value):
            del element.attrib[name]
    if element.tag == f"{{{_SVG}}}style" and not _harmless_css(element.text or ""):
        element.text = ""


def _harmless(name: str, value: str) -> bool:
    if name in ("href", _XLINK_HREF):
        return _FRAGMENT.fullmatch(value) is not None
    if name.startswith("{") or name.lower().startswith("on"):
        return False
    return _harmless_css(value)


def _harmless_css(text: str) -> bool:
    """No import, no address but of a part of the picture itself, and no escapes that could hide one."""
    if "\\" in text or "@" in text or "<" in text or "/*" in text or _SCHEME.search(text):
        return False
    return len(_URL.findall(text)) == len(_OWN_URL.findall(text))


def _check_size(root: ET.Element) -> None:
    if not root.get("viewBox") and not (root.get("width") and root.get("height")):
        raise Refused("The SVG does not say how large it is: it needs a viewBox, or width and height.")


def _check_references(root: ET.Element) -> None:
    """Refused where parts refer to parts so often that drawing them would never end."""
    parts = {part.get("id", ""): part for part in root.iter() if part.get("id")}
    if _Drawing(parts).cost(root) > MAX_DRAWN:
        raise Refused(f"The SVG would draw over {MAX_DRAWN:,} elements.")


class _Drawing:
    """What drawing costs, each part counted once and then known."""

    def __init__(self, parts: Mapping[str, ET.Element]) -> None:
        self._parts = parts
        self._known: dict[ET.Element, int] = {}
        self._open: set[ET.Element] = set()

    def cost(self, element: ET.Element) -> int:
        if element in self._open:
            raise Refused("A part of the SVG refers to itself.")
        if element not in self._known:
            self._open.add(element)
            self._known[element] = (
                1 + sum(map(self.cost, element)) + sum(map(self.cost, self._named(element)))
            )
            self._open.discard(element)
        return self._known[element]

    def _named(self, element: ET.Element) -> list[ET.Element]:
        text = " ".join(element.attrib.values())
        names = [match[2] for match in _OWN_URL.finditer(text)]
        names += [found[1] for value in element.attrib.values() if (found := _FRAGMENT.fullmatch(value))]
        return [self._parts[name] for name in names if name in self._parts]
