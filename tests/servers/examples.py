"""The examples of the documentation: which there are, and how each is run."""

from __future__ import annotations

import re
import sys
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from services.gateway.docs.guide import chapters

DOCS = Path(__file__).parents[2] / "docs"
_FENCE = re.compile(
    r'^(?P<indent> *)```(?P<language>bash|python|javascript)(?: title="(?P<title>[^"]+)")?\n'
    r"(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_FAILING = 'curl() { command curl --fail-with-body --silent --show-error "$@"; }'
"""As a reader sees an error, which a program would not."""
_PRE = re.compile(r"<pre>(.*?)</pre>", re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: [^>]+-->\s*$")
_PROGRAMS = {
    "bash": ("bash", "-euo", "pipefail", "-c"),
    "python": (sys.executable, "-W", "error", "-c"),
    "javascript": (str(Path(sys.executable).with_name("node")), "--input-type=module", "-e"),
}


@dataclass(frozen=True)
class Example:
    """All blocks of one kind on one page, which go on from each other. `title`: the tab that they are in."""

    page: Path
    language: str
    title: str
    code: str

    @property
    def name(self) -> str:
        return f"{self.page.stem}-{self.title.lower().replace(' ', '-')}"

    @property
    def command(self) -> list[str]:
        """What runs it, whole."""
        return [*_PROGRAMS[self.language], self.code]


def examples(page: Path) -> Iterator[Example]:
    """Those of a page. A block after `<!-- not run: why -->` is left out."""
    text = page.read_text("utf-8")
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for block in _FENCE.finditer(text):
        if not _NOT_RUN.search(text[: block.start()]):
            title = block["title"] or block["language"]
            found[block["language"], title].append(textwrap.dedent(block["code"]))
    for (language, title), blocks in found.items():
        yield Example(page, language, title, "\n".join(blocks))


def page_examples() -> Iterator[Example]:
    """The requests of the one page of `/docs`, a chapter at a time."""
    for anchor, _, html in chapters():
        blocks = [unescape(block) for block in _PRE.findall(html) if block.startswith("curl")]
        if blocks:
            yield Example(Path(f"page-{anchor}"), "bash", "curl", "\n".join([_FAILING, *blocks]))


def all_examples() -> list[Example]:
    """Of every page."""
    written = [example for page in sorted(DOCS.rglob("*.md")) for example in examples(page)]
    return [*written, *page_examples()]
