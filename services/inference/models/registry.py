"""The models that come with the service: what each one is, and that its file is the one its card names."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.inference.errors import ModelRefused

MODELS = Path(__file__).parent
DEFAULT_MODEL = "mannequin"
_CARD = "model.yaml"

Even = Annotated[int, Field(ge=32, le=4096, multiple_of=2)]


class ModelInput(BaseModel):
    """The tensor that a model takes: uint8, one fixed height and width (px), any number of pictures."""

    model_config = ConfigDict(frozen=True)

    name: str
    layout: Literal["NHWC"]
    height: Even
    width: Even
    colour: Literal["RGB"]


class ModelCard(BaseModel):
    """The part of a model's `model.yaml` that is needed to run it; the rest is for readers."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    version: str
    task: Literal["segmentation"]
    input: ModelInput
    output: str
    classes: tuple[Literal["background"], Literal["garment"], Literal["body"]]
    licence: str
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    file: Annotated[str, Field(pattern=r"^[a-z0-9_.-]+\.onnx$")] = "model.onnx"


@dataclass(frozen=True, slots=True)
class Model:
    """A model whose bytes are those that its card names."""

    card: ModelCard
    onnx: bytes

    @property
    def label(self) -> str:
        return f"{self.card.name}@{self.card.version}"


def load_model(name: str = DEFAULT_MODEL, folder: Path = MODELS) -> Model:
    """The model in `folder/name`. Raises ModelRefused if it is not there or not what its card says."""
    home = folder / name
    card = _read_card(home / _CARD)
    onnx = _read(home / card.file)
    if hashlib.sha256(onnx).hexdigest() != card.sha256:
        raise ModelRefused(f"model {name}: {card.file} is not the file that {_CARD} names (sha256 differs)")
    return Model(card, onnx)


def _read_card(path: Path) -> ModelCard:
    try:
        return ModelCard.model_validate(yaml.safe_load(_read(path)))
    except (yaml.YAMLError, ValidationError) as exc:
        raise ModelRefused(f"{path.parent.name}/{path.name} is no model card: {exc}") from exc


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ModelRefused(f"cannot read {path.parent.name}/{path.name}: {exc.strerror}") from exc
