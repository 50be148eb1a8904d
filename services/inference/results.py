"""What a render becomes: objects beside each other in the storage, and an outcome for the batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Self

from libs.common.contracts.inference import MOST_FINDINGS, FileKind, RenderedImage, RenderItem, StoredFile
from services.inference.pipeline.artefacts import Encoded
from services.inference.pipeline.render import Render
from services.inference.timing import COMPUTE

_KEY_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Hashed:
    """A file of a result with its SHA-256 (hex)."""

    file: Encoded
    sha256: str

    @classmethod
    def of(cls, file: Encoded) -> Self:
        return cls(file, hashlib.sha256(file.data).hexdigest())

    @property
    def stored(self) -> StoredFile:
        file = self.file
        return StoredFile(
            name=file.name,
            media_type=file.media_type,
            size=len(file.data),
            sha256=self.sha256,
            width=file.width,
            height=file.height,
        )


@dataclass(frozen=True, slots=True)
class Finished:
    """A render whose files are hashed, which takes too long for an event loop."""

    render: Render
    result: Hashed
    renditions: tuple[Hashed, ...]
    artefacts: tuple[Hashed, ...]

    @classmethod
    def of(cls, render: Render) -> Self:
        return cls(
            render,
            Hashed.of(render.result),
            tuple(map(Hashed.of, render.renditions)),
            tuple(map(Hashed.of, render.artefacts)),
        )

    def key(self, item: RenderItem) -> str:
        """Where the result goes: by what it is, so that another worker's late render overwrites nothing."""
        files = (self.result, *self.renditions, *self.artefacts)
        digest = hashlib.sha256("".join(hashed.sha256 for hashed in files).encode()).hexdigest()
        asked = PurePosixPath(item.result_key)
        return str(asked.with_name(f"{asked.stem}.{digest[:_KEY_DIGITS]}{asked.suffix}"))

    def objects(self, result_key: str) -> Iterator[tuple[str, bytes]]:
        """All that is to be stored, by its key; the result last, so that it never lies there alone."""
        for kind, files in ((FileKind.RENDITION, self.renditions), (FileKind.ARTEFACT, self.artefacts)):
            for hashed in files:
                yield kind.key(result_key, hashed.file.name), hashed.file.data
        yield result_key, self.result.file.data

    def outcome(self, item: RenderItem, elapsed_s: float) -> RenderedImage:
        """What the batch is told. Of very many findings, the first ones: a message has its limits."""
        render, result = self.render, self.result.stored
        findings = render.findings[:MOST_FINDINGS]
        return RenderedImage(
            image_id=item.image_id,
            result_key=self.key(item),
            media_type=result.media_type,
            size=result.size,
            sha256=result.sha256,
            width=result.width,
            height=result.height,
            verdict=render.verdict,
            score=render.score,
            reasons=tuple(dict.fromkeys(finding.code for finding in findings)),
            findings=findings,
            preserved_fraction=render.preserved_fraction,
            synthesized_fraction=render.synthesized_fraction,
            digital_source_type=render.digital_source,
            landmarks=render.landmarks,
            photo_width=render.photo_size[0],
            photo_height=render.photo_size[1],
            renditions=tuple(hashed.stored for hashed in self.renditions),
            artefacts=tuple(hashed.stored for hashed in self.artefacts),
            model=render.model,
            render_ms=round(elapsed_s * 1000),
            compute_ms=None if (compute := render.timings.get(COMPUTE)) is None else round(compute),
        )
