"""The models that the service can run: a folder for each, with its card and its files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from services.inference.errors import ModelRefused
from services.inference.models.card import Device, ModelCard, Precision

MODELS = Path(__file__).parent
DEFAULT_MODEL = "mannequin"
_CARD = "model.yaml"


@dataclass(frozen=True, slots=True)
class Model:
    """A model whose bytes are those that its card names."""

    card: ModelCard
    onnx: bytes
    precision: Precision = Precision.FP32

    @property
    def label(self) -> str:
        """What goes into every result: `name@version`, and the precision if it is not the full one."""
        build = "" if self.precision is Precision.FP32 else f"+{self.precision.value}"
        return self.card.label + build


class Registry:
    """Models by reference: `name`, or `name@version`, in the first of `folders` that has it.

    A model is `folder/name`; a further version of it can lie beside it as `folder/name@version`.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = folders or (MODELS,)

    def card(self, reference: str) -> ModelCard:
        """Raises ModelRefused if there is no such model or its card is none."""
        return _read_card(self._home(reference))

    def fingerprint(self, reference: str) -> str:
        """Changes with the card, which names every file by its SHA-256. Raises ModelRefused."""
        return hashlib.sha256(_read(self._home(reference) / _CARD)).hexdigest()

    def load(
        self, reference: str, precision: Precision = Precision.AUTO, device: Device = Device.CPU
    ) -> Model:
        """The model for this device. Raises ModelRefused if its file is not there or not as the card says."""
        home = self._home(reference)
        card = _read_card(home)
        chosen = card.precision_for(device, precision)
        if chosen is None:
            has = ", ".join(card.files)
            raise ModelRefused(f"model {reference} has no {precision.value} file, but {has}")
        return Model(card, _checked(home, card, chosen), chosen)

    def _home(self, reference: str) -> Path:
        name, _, version = reference.partition("@")
        for folder in self._folders:
            for home in (folder / reference, folder / name):
                if (home / _CARD).is_file() and version in ("", _read_card(home).version):
                    return home
        raise ModelRefused(f"there is no model {reference}: no folder of it has a {reference}/{_CARD}")


def load_model(
    name: str = DEFAULT_MODEL,
    folder: Path = MODELS,
    precision: Precision | str = Precision.AUTO,
    device: Device = Device.CPU,
) -> Model:
    """The model `name` of one folder. Raises ModelRefused as the registry does."""
    return Registry(folder).load(name, Precision(precision), device)


def _checked(home: Path, card: ModelCard, precision: Precision) -> bytes:
    wanted = next(file for name, file in card.files.items() if name == precision.value)
    onnx = _read(home / wanted.file)
    if hashlib.sha256(onnx).hexdigest() != wanted.sha256:
        raise ModelRefused(
            f"model {card.label}: {wanted.file} is not what {_CARD} names (its sha256 differs)"
        )
    return onnx


def _read_card(home: Path) -> ModelCard:
    try:
        return ModelCard.model_validate(yaml.safe_load(_read(home / _CARD)))
    except (yaml.YAMLError, ValidationError) as exc:
        raise ModelRefused(f"{home.name}/{_CARD} is no model card: {exc}") from exc


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ModelRefused(f"cannot read {path.parent.name}/{path.name}: {exc.strerror}") from exc
