"""Settings of the inference service (`INFERENCE_…`)."""

from __future__ import annotations

import os
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from libs.common.settings import DatabaseSettings


class InferenceSettings(DatabaseSettings):
    """provider: ONNX Runtime's execution provider; one asked for by name must be there.

    threads: images rendered at a time (0: one a core). image_timeout_s: limit for an image that is rendered
    in a process of its own, after a worker died.
    """

    model_config = SettingsConfigDict(
        env_prefix="INFERENCE_", frozen=True, extra="ignore", populate_by_name=True
    )

    objects_url: SecretStr = Field(validation_alias=AliasChoices("MANNEQUIN_OBJECTS_URL", "objects_url"))
    provider: Literal["auto", "cpu", "cuda", "tensorrt"] = "auto"
    model: str = "mannequin"
    threads: int = Field(0, ge=0, le=256)
    image_timeout_s: float = Field(120, gt=0)

    @property
    def places(self) -> int:
        """Images that this worker renders at a time."""
        return self.threads or os.cpu_count() or 1
