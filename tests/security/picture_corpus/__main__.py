"""`python -m tests.security.picture_corpus [FOLDER]`: print the manifest, and write the files."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tests.security.picture_corpus.corpus import corpus


def main(folder: Path | None) -> None:
    for number, case in enumerate(corpus()):
        sys.stdout.write(f"{case.name:42} {case.how:48} {case.expected}\n")
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            name = re.sub(r"[^a-z0-9]+", "-", case.name.lower()).strip("-")
            (folder / f"{number:03}-{name}.bin").write_bytes(case.make())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
