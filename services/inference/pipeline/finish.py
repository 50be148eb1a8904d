"""The pictures that were asked for as files, and what keeps them from their presets."""

from __future__ import annotations

from dataclasses import dataclass

from libs.common.contracts.inference import Finding
from libs.common.contracts.options import PictureOptions, RenderOptions
from services.inference.pipeline.align import Catalogue
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.artefacts import Encoded
from services.inference.pipeline.compose import compose
from services.inference.pipeline.encode import encode
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.marks.source import DigitalSource
from services.inference.pipeline.presets import preset_problems
from services.inference.pipeline.verdict import Reason
from services.inference.pipeline.watermark import is_trial, marked

RESULT = "result"
"""The name of the one picture that every render has."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A file, and in words what keeps it from the preset that was asked for, if anything."""

    file: Encoded
    problems: tuple[str, ...]

    def findings(self) -> tuple[Finding, ...]:
        """The problems as findings; a rendition's begin with its name."""
        of = "" if self.file.name == RESULT else f"{self.file.name}: "
        code = Reason.PRESET_NOT_MET.value
        return tuple(Finding(code=code, detail=of + problem) for problem in self.problems)


def finish(
    name: str,
    pixels: U8,
    layers: Layers,
    asked: PictureOptions,
    catalogue: Catalogue | None,
    source: DigitalSource | None = None,
    *,
    trial: bool = False,
) -> Finished:
    """Encodes composed pixels and holds them against the preset. `source`: how they came about.

    For a test key (`trial`, or by what is asked) the file holds a small and marked copy of what was judged.
    """
    data = encode(pixels, asked, source)
    problems = preset_problems(layers, asked, pixels, data, catalogue)
    if trial or is_trial(asked):
        pixels = marked(pixels)
        data = encode(pixels, asked, source)
    file = Encoded(name, data, asked.format.media_type, pixels.shape[1], pixels.shape[0])
    return Finished(file, problems)


def finish_renditions(
    layers: Layers,
    options: RenderOptions,
    catalogue: Catalogue | None,
    source: DigitalSource | None = None,
) -> tuple[Finished, ...]:
    """The further pictures of a render, composed and encoded."""
    trial = is_trial(options)
    return tuple(
        finish(asked.name, compose(layers, asked, catalogue), layers, asked, catalogue, source, trial=trial)
        for asked in options.renditions
    )
