"""The documentation names what there is, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from libs.common.contracts.batch import BatchOptions
from services.gateway.problem_catalogue import CATALOGUE

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
MADE = ("reference/errors", "reference/settings", "reference/permissions", "changelog")
_LINK = re.compile(r"\]\((?!https?:|/|#|mailto:)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    """Of the site or of the repository; those that the site makes by itself count as well."""
    made = {DOCS / f"{name}.md" for name in MADE}
    links = [(page.parent / link).resolve() for link in _LINK.findall(page.read_text("utf-8"))]
    assert not [link for link in links if not link.exists() and link not in made]


def test_the_gallery_shows_every_option() -> None:
    """By its name, and with the pictures that there are."""
    page = (DOCS / "guides" / "options.md").read_text("utf-8")
    assert not [name for name in BatchOptions.model_fields if f"`{name}`" not in page]
    shown = set(re.findall(r"assets/options/([\w-]+)\.webp", page))
    assert shown == {picture.stem for picture in (DOCS / "assets" / "options").glob("*.webp")}


def test_codes_named_on_pages_exist() -> None:
    """Programs compare them."""
    text = "\n".join(page.read_text("utf-8") for page in (DOCS / "guides").glob("*.md"))
    named = re.findall(r"\b(?:40[0-9]|41[0-9]|42[0-9]|50[0-9]) `([a-z_]+)`", text)
    assert not [code for code in named if code not in CATALOGUE]


def test_the_compliance_pages_name_files_that_exist() -> None:
    """A control that is met by something that is gone is not met."""
    table = "".join(page.read_text("utf-8") for page in (DOCS / "compliance").glob("i*.md"))
    paths = re.findall(r"`([\w./-]+/[\w./-]+|[A-Z][\w.]+\.md|Makefile|[\w-]+\.(?:lock|toml))`", table)
    assert len(paths) > 40
    assert not [path for path in paths if not (PROJECT / path).exists()]


def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    """Every page is in its navigation, and every page of the navigation is there."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    index = (tmp_path / "index.html").read_text("utf-8")
    assert "https://fonts" not in index
    assert "sha256-" in index
    errors = (tmp_path / "reference" / "errors" / "index.html").read_text("utf-8")
    assert all(f"problem-{code}" in errors for code in CATALOGUE)
