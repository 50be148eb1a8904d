"""Puts this source folder and the `mannequin` command into the virtual environment that runs it.

What an editable install would do, without a build backend: no download, and done in milliseconds.
"""

from __future__ import annotations

import sys
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).resolve().parents[2]
COMMAND = """\
#!{python}
import sys

from libs.client.cli.main import app

if __name__ == "__main__":
    sys.exit(app())
"""


def main() -> None:
    """Writes the path file, the command, and the metadata in which the command finds its plugins."""
    packages = Path(sysconfig.get_path("purelib"))
    packages.joinpath("invisible_mannequin.pth").write_text(f"{SOURCE}\n")
    project: dict[str, Any] = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]
    _write_metadata(packages / f"invisible_mannequin-{project['version']}.dist-info", project)
    command = Path(sysconfig.get_path("scripts"), "mannequin")
    command.write_text(COMMAND.format(python=sys.executable))
    command.chmod(0o755)


def _write_metadata(folder: Path, project: dict[str, Any]) -> None:
    """The parts of a .dist-info that importlib.metadata reads (PyPA, "Recording installed projects")."""
    folder.mkdir(exist_ok=True)
    name, version = project["name"], project["version"]
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{key} = {target}" for key, target in points.items()), ""]
    (folder / "entry_points.txt").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
