"""Signed C2PA manifests (C2PA specification 2.2), where the library is installed and a certificate is set.

The manifest is signed over the finished file, so it comes last: after it no byte may change.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from services.inference.errors import MarksRefused
from services.inference.pipeline.artefacts import Encoded
from services.inference.pipeline.marks.source import DigitalSource

if TYPE_CHECKING:
    from services.inference.pipeline.render import Render

GENERATOR = "invisible-mannequin"
_SETTINGS = {"builder": {"thumbnail": {"enabled": False}}}
"""A manifest's thumbnail would be larger than many of the pictures."""


class Marker(Protocol):
    """Puts the last mark on a finished render. Safe to call from several threads at once."""

    def __call__(self, render: Render) -> Render: ...


def unsigned(render: Render) -> Render:
    """A Marker that leaves it at the metadata in the files."""
    return render


@dataclass(frozen=True)
class Signing:
    """A Marker that signs each picture with invented pixels. Picklable: a child signs what it renders.

    `chain` and `key` are PEM: certificates, the signer's first, and its private key, for `algorithm` (as
    `es256`). `time_url`: of a time-stamp authority, if any.
    """

    chain: str = field(repr=False)
    key: str = field(repr=False)
    algorithm: str = "es256"
    time_url: str | None = None

    def __call__(self, render: Render) -> Render:
        source = render.digital_source
        if source is None:
            return render
        return replace(
            render,
            result=self._signed(render.result, source),
            renditions=tuple(self._signed(file, source) for file in render.renditions),
        )

    def check(self) -> None:
        """MarksRefused where the library is missing or the certificate can't sign."""
        try:
            _ = self._signer
        except ImportError as error:
            raise MarksRefused("install the `marks` extra, or unset the C2PA certificate") from error
        except Exception as error:  # noqa: BLE001 - the library raises what it likes
            raise MarksRefused(f"the C2PA certificate can't sign: {type(error).__name__}") from None

    @cached_property
    def _signer(self) -> Any:
        c2pa = import_module("c2pa")
        algorithm = self.algorithm.encode()
        stamp = None if self.time_url is None else self.time_url.encode()
        info = c2pa.C2paSignerInfo(algorithm, self.chain.encode(), self.key.encode(), stamp)
        return c2pa.Signer.from_info(info)

    def _signed(self, file: Encoded, source: DigitalSource) -> Encoded:
        c2pa, out = import_module("c2pa"), BytesIO()
        claims = json.dumps(_claims(file, source))
        with c2pa.Context.from_dict(_SETTINGS) as context, c2pa.Builder(claims, context) as builder:
            builder.sign(self._signer, file.media_type, BytesIO(file.data), out)
        return replace(file, data=out.getvalue())

    def __getstate__(self) -> dict[str, Any]:
        """Without the signer, which lives in the process that made it."""
        return {name: value for name, value in self.__dict__.items() if name != "_signer"}


def read_pem(path: Path) -> str:
    """MarksRefused where the file is not there."""
    try:
        return path.read_text()
    except OSError as error:
        raise MarksRefused(f"{path.name} can't be read: {error.strerror}") from None


def _claims(file: Encoded, source: DigitalSource) -> dict[str, Any]:
    """What is claimed: made from photos, by us, with the digital source type of the metadata."""
    action = {
        "action": "c2pa.created",
        "digitalSourceType": source.value,
        "softwareAgent": {"name": GENERATOR},
    }
    return {
        "claim_generator_info": [{"name": GENERATOR}],
        "format": file.media_type,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [action]}}],
    }
