"""Rules of the house that no type checker knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from libs.common.contracts import asyncapi, diagram

ROOT = Path(__file__).resolve().parents[2]
CODE = ("libs", "services", "deploy", "training")
SOURCES = sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
OWNERS = {
    "aio_pika": ("libs/common/bus/rabbitmq",),
    "nats": ("libs/common/bus/nats",),
    "asyncpg": ("libs/common/db/",),
    "psycopg": ("libs/common/db/",),
    "sqlalchemy": ("libs/common/db/",),
    "obstore": ("libs/common/objects/",),
    "onnxruntime": ("services/inference/models/", "training/", "deploy/local/servers/mlserver_runtime"),
    "hvac": (
        "services/keyvault/transit",
        "services/keyvault/login",
        "deploy/local/servers/openbao",
        "deploy/vault/",
    ),
    "aiobotocore": ("services/inference/providers/",),
    "google": ("services/inference/providers/",),
    "tritonclient": ("services/inference/providers/",),
}


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("library", OWNERS)
def test_a_server_is_spoken_to_in_one_place(library: str) -> None:
    """A driver is imported where its seam is, and nowhere else."""
    strangers = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if any(name.split(".")[0] == library for name in imports(path))
        and not str(path.relative_to(ROOT)).startswith(OWNERS[library])
    ]
    assert not strangers


def test_only_the_database_package_sets_the_tenant() -> None:
    """`set` and `set_config` of a setting elsewhere would be a way around row-level security."""
    setting = re.compile(r"set_config|\bset\s+(local\s+|session\s+)?(app\.|role|row_security)", re.IGNORECASE)
    texts = [*SOURCES, *(path for folder in CODE for path in (ROOT / folder).rglob("*.sql"))]
    offenders = [
        str(path.relative_to(ROOT))
        for path in texts
        if setting.search(path.read_text(encoding="utf-8"))
        and not str(path.relative_to(ROOT)).startswith("libs/common/db/")
    ]
    assert not offenders


def test_files_stay_small_enough_to_read() -> None:
    """Past 400 lines a name is missing."""
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := len(p.read_text().splitlines())) > 400}
    assert not long


def test_functions_fit_in_the_head() -> None:
    """Past 40 lines a name is missing."""
    long = [
        f"{path.relative_to(ROOT)}:{node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno > 45
    ]
    assert not long


def test_no_room_is_called_utils() -> None:
    """Names are the field's own."""
    vague = {"utils", "util", "helpers", "helper", "manager", "common2", "misc"}
    assert not [path for path in SOURCES if vague & set(path.relative_to(ROOT).with_suffix("").parts)]


def test_the_asyncapi_document_is_fresh() -> None:
    """`make generated` writes it anew from the flow."""
    assert (ROOT / "docs/asyncapi.json").read_text(encoding="utf-8") == asyncapi.render()


def test_the_drawing_in_the_readme_is_fresh() -> None:
    """`make generated` draws it anew from the flow."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert diagram.inserted(readme) == readme
