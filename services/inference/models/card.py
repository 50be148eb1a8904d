"""What a model's `model.yaml` says: the tensors it takes and gives, and what they mean to us."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.inference.pipeline.segment import Fit, Hint

Even = Annotated[int, Field(ge=32, le=4096, multiple_of=2)]
Triple = tuple[float, float, float]
Spread = Annotated[float, Field(gt=0)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*\.onnx$")]


class Role(StrEnum):
    """What one channel of a model's output says of a pixel."""

    BACKGROUND = "background"
    GARMENT = "garment"
    BODY = "body"
    OTHER = "other"
    INTERIOR = "interior"
    IGNORED = "ignored"


Channel = Role | dict[Hint, Role]
"""The same for every hint, or one role for each of them."""


class Precision(StrEnum):
    """How a model's weights are stored. `auto` is what its card recommends for where it runs."""

    AUTO = "auto"
    FP32 = "fp32"
    FP16 = "fp16"
    INT8 = "int8"


class Device(StrEnum):
    """Where a model runs."""

    CPU = "cpu"
    GPU = "gpu"


_USUAL = {
    Device.CPU: (Precision.FP32, Precision.FP16, Precision.INT8),
    Device.GPU: (Precision.FP16, Precision.FP32, Precision.INT8),
}
"""In order of preference, where a card recommends nothing."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Normalise(_Part):
    """From pixels to a float input: `(pixel * scale - mean) / std` for each colour, in the model's order.

    With `divide_by_max` each picture is divided by its brightest value (1 at most) in place of `scale`.
    """

    scale: Spread = 1 / 255
    divide_by_max: bool = False
    mean: Triple = (0.0, 0.0, 0.0)
    std: tuple[Spread, Spread, Spread] = (1.0, 1.0, 1.0)


class ModelInput(_Part):
    """The picture's tensor: one fixed height and width (px). Without a name, the graph's first input."""

    name: str | None = None
    layout: Literal["NHWC", "NCHW"] = "NHWC"
    dtype: Literal["uint8", "float32", "float16"] = "uint8"
    colour: Literal["RGB", "BGR"] = "RGB"
    height: Even
    width: Even
    fit: Fit = Fit.LETTERBOX
    normalise: Normalise | None = None

    @model_validator(mode="after")
    def _whole_pixels_are_sent_as_they_are(self) -> Self:
        if self.dtype == "uint8" and self.normalise is not None:
            raise ValueError("a uint8 input is normalised inside the graph: leave normalise out")
        return self


class HintInput(_Part):
    """An int64 [N] input: 0 auto, 1 upper, 2 lower, 3 full."""

    name: str


class ModelOutput(_Part):
    """The tensor with the answer; a channel's role says where it goes, and roles may come several times.

    `stride` is input px for one output px. Where no channel is background, it is what the classes leave.
    `activation` is what is still to be done; minmax stretches each picture's values over 0..1.
    """

    name: str | None = None
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    activation: Literal["none", "sigmoid", "softmax", "minmax"] = "none"
    stride: Literal[1, 2, 4, 8, 16, 32] = 1
    channels: Annotated[tuple[Channel, ...], Field(min_length=1, max_length=256)]

    @model_validator(mode="after")
    def _shows_the_garment(self) -> Self:
        if any(isinstance(channel, dict) and len(channel) < len(Hint) for channel in self.channels):
            raise ValueError(f"a channel by hint names a role for each of {', '.join(Hint)}")
        for hint in Hint:
            if Role.GARMENT not in self.roles(hint):
                raise ValueError(f"no channel is the garment for the hint {hint.value}")
        return self

    def roles(self, hint: Hint) -> tuple[Role, ...]:
        """The role of each channel when a garment is asked for by `hint`."""
        return tuple(channel[hint] if isinstance(channel, dict) else channel for channel in self.channels)


class ModelFile(_Part):
    """One ONNX file of the model's folder and what it must be."""

    file: FileName
    sha256: Sha256


class Recommended(_Part):
    """Which precision to take where."""

    cpu: Precision | None = None
    gpu: Precision | None = None


class ModelCard(BaseModel):
    """The part of a model's `model.yaml` that is needed to run it; other keys are for readers."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,31}$")]
    task: Literal["segmentation"]
    licence: Annotated[str, Field(min_length=1)]
    input: ModelInput
    hint: HintInput | None = None
    output: ModelOutput
    recommended: Recommended = Recommended()
    files: Annotated[dict[Literal["fp32", "fp16", "int8"], ModelFile], Field(min_length=1)]

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"

    def precision_for(self, device: Device, wanted: Precision) -> Precision | None:
        """The precision to run there; None if the model has no file for it."""
        recommended = self.recommended.cpu if device is Device.CPU else self.recommended.gpu
        choices = (recommended or wanted, *_USUAL[device]) if wanted is Precision.AUTO else (wanted,)
        return next((choice for choice in choices if choice.value in self.files), None)
