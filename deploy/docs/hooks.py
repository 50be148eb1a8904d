"""What MkDocs calls while it builds the site: pages from the code, and links that lead out of it.

See https://www.mkdocs.org/user-guide/configuration/#hooks.
"""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from deploy.docs.permissions_page import permissions_page
from deploy.docs.settings_page import settings_page
from services.gateway.problem_catalogue import CATALOGUE

_INLINE = re.compile(r"<script(?![^>]* src=)(?![^>]*type=application/json)[^>]*>(.*?)</script>", re.DOTALL)
PROJECT = Path(__file__).parents[2]
_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|/|#|mailto:)([^)#\s]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that the code knows best."""
    made = {
        "reference/errors.md": errors_page(),
        "reference/settings.md": settings_page(),
        "reference/permissions.md": permissions_page(),
        "changelog.md": (PROJECT / "CHANGELOG.md").read_text("utf-8"),
    }
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """A link to a file of the repository that is no page of the site becomes the file's name."""
    here = PurePosixPath(page.file.src_uri).parent

    def rewritten(link: re.Match[str]) -> str:
        return link[0] if files.get_file_from_path(_joined(here, link[2])) else f"{link[1]}"

    return _LINK.sub(rewritten, markdown)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Lets the page's own inline scripts run, by their hashes, and no other."""
    scripts = [script.encode() for script in _INLINE.findall(output)]
    hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(one).digest()).decode()}'" for one in scripts]
    policy = " ".join(["script-src 'self'", *dict.fromkeys(hashes)])
    return output.replace(
        "<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">', 1
    )


def errors_page() -> str:
    """Every code that a problem or a failure can have, and what to do."""
    rows = [
        f"| <span id='problem-{code}'></span>`{code}` | {_cell(known.title)} | {_cell(known.hint)} |"
        for code, known in sorted(CATALOGUE.items())
    ]
    return "\n".join([_ERRORS, "| code | meaning | what to do |", "| --- | --- | --- |", *rows, ""])


_ERRORS = """# Errors by code

Every error is a problem document (RFC 9457, `application/problem+json`): `title`, `status`, `detail`, a
stable `code` for programs, the `field` at fault, a `hint` what to do, and the `request_id` to tell support.
The same codes stand in the `failure` of images and batches.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _joined(here: PurePosixPath, target: str) -> str:
    """The path of a link's target below the site's folder."""
    parts: list[str] = []
    for part in (here / target).parts:
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
