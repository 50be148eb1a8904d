"""One photo from its file to its files: what each core of the machine does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from libs.common.contracts.options import RenderOptions

if TYPE_CHECKING:
    from services.inference.pipeline.artefacts import Encoded
    from services.inference.pipeline.render import Render
    from services.inference.renderer import Renderer

_EXTENSIONS = {"image/jpeg": "jpg"}


@dataclass(frozen=True, slots=True)
class Job:
    """A photo (and its inside shot, if any) whose files go into `output` and begin with `name`."""

    photo: Path
    name: str
    output: Path
    options: RenderOptions
    inside: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`told` is what `<name>.verdict.json` holds; a photo that failed has a `code` and a `detail` in it."""

    job: Job
    told: Mapping[str, Any]

    @property
    def rendered(self) -> bool:
        return bool(self.told["status"] == "rendered")


def do(job: Job, renderer: Renderer) -> Outcome:
    """Renders the photo and writes its files; whatever goes wrong ends this photo alone, by name."""
    from services.inference.errors import PictureRefused

    try:
        told = _rendered(job, renderer)
    except PictureRefused as refused:
        told = _failed(job, refused.code, refused.detail)
    except OSError as error:
        told = _failed(job, "file_error", f"{error.strerror or error}: {error.filename or job.photo}")
    except Exception as error:  # noqa: BLE001 - a mistake of ours in one photo leaves the others alone
        told = _failed(job, "render_failed", f"{type(error).__name__}: {error}")
    return Outcome(job, told)


def _rendered(job: Job, renderer: Renderer) -> dict[str, Any]:
    inside = job.inside.read_bytes() if job.inside else None
    render = renderer(job.photo.read_bytes(), job.options, inside)
    files = {file.name: _write(job, render, file) for file in render.files}
    told = _told(job, render, files)
    _write_told(job, told)
    return told


def _write(job: Job, render: Render, file: Encoded) -> str:
    """Writes one picture; the name of its file."""
    extension = _EXTENSIONS.get(file.media_type) or file.media_type.removeprefix("image/")
    ending = extension if file is render.result else f"{file.name}.{extension}"
    path = job.output / f"{job.name}.{ending}"
    path.write_bytes(file.data)
    return path.name


def _told(job: Job, render: Render, files: Mapping[str, str]) -> dict[str, Any]:
    width, height = render.photo_size
    return {
        "photo": str(job.photo),
        "status": "rendered",
        "verdict": render.verdict.value,
        "score": render.score,
        "findings": [finding.model_dump(mode="json") for finding in render.findings],
        "preserved_fraction": render.preserved_fraction,
        "inner_back": render.inner_back.value,
        "landmarks": render.landmarks.model_dump(mode="json"),
        "model": render.model,
        "timings": dict(render.timings),
        "size": {"width": width, "height": height},
        "result": {"width": render.result.width, "height": render.result.height},
        "files": dict(files),
    }


def _failed(job: Job, code: str, detail: str) -> dict[str, Any]:
    told = {"photo": str(job.photo), "status": "failed", "code": code, "detail": detail}
    try:
        _write_told(job, told)
    except OSError:
        return told  # the disk is full, say, which is what `detail` has told already
    return told


def _write_told(job: Job, told: Mapping[str, Any]) -> None:
    path = job.output / f"{job.name}.verdict.json"
    path.write_bytes(as_json(told, indent=1).encode() + b"\n")


def as_json(told: Mapping[str, Any], indent: int | None = None) -> str:
    """In UTF-8; bytes in the name of a file that are no text become JSON's escapes."""
    text = json.dumps(told, indent=indent, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
