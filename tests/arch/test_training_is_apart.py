"""Tenants' photos are never used for training: the code that trains has no way to them."""

from __future__ import annotations

from pathlib import Path

from tests.arch.test_structure import ROOT, imports

WAYS = (
    "libs.common.bus",
    "libs.common.db",
    "libs.common.objects",
    "libs.common.outbox",
    "obstore",
    "asyncpg",
)


def _file(module: str) -> Path | None:
    """The module's source, if it is ours; of a name that is imported from one, that one's."""
    for name in (module, module.rpartition(".")[0]):
        path = ROOT.joinpath(*name.split("."))
        for candidate in (path.with_suffix(".py"), path / "__init__.py"):
            if name and candidate.is_file():
                return candidate
    return None


def test_training_reaches_no_storage_no_database_and_no_bus() -> None:
    """Neither itself nor through anything that it imports."""
    waiting = sorted((ROOT / "training").rglob("*.py"))
    seen: set[Path] = set(waiting)
    reached: set[str] = set()
    while waiting:
        for name in imports(waiting.pop()):
            reached.add(name)
            found = _file(name)
            if found is not None and found not in seen:
                seen.add(found)
                waiting.append(found)
    assert "services.inference.pipeline.decode" in reached
    assert not {name for name in reached if name.startswith(WAYS)}
