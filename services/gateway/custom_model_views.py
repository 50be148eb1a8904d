"""Tenants' own ONNX models as callers see them, and what they send."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from libs.common.contracts import custom_models as contract

MODEL_ID = "mdl_01jxr5b0y5q3n6m9t2w8z4c7ga"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_VERSION: dict[str, Any] = {
    "sha256": SHA256,
    "status": "ready",
    "size": 34853000,
    "opset": 17,
    "run_ms": 83,
    "memory_mib": 83,
    "reason": None,
    "created_at": "2026-03-01T09:00:00Z",
}
_MODEL: dict[str, Any] = {
    "id": MODEL_ID,
    "name": "knitwear",
    "versions": [_VERSION],
    "created_at": "2026-03-01T09:00:00Z",
}
_ROLLOUT: dict[str, Any] = {"live": None, "canary": SHA256, "canary_share": 0.1, "previous": None}


class NewModel(BaseModel):
    """What the form's part `model` says: the model's name, and what its tensors mean (see the guide)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "name": "knitwear",
                    "input": {"layout": "NCHW", "dtype": "float32", "height": 512, "width": 384},
                    "output": {"activation": "sigmoid", "channels": ["garment"]},
                }
            ]
        },
    )

    name: contract.ModelName
    input: dict[str, Any]
    output: dict[str, Any]
    hint: dict[str, Any] | None = None


class CustomModel(contract.CustomModel):
    """A model of yours with its versions, the newest first. A version is named by its file's SHA-256."""

    model_config = ConfigDict(json_schema_extra={"examples": [_MODEL]})


class Rollout(contract.ModelRollout):
    """Which version serves your images on the platform; null is the platform's own model."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ROLLOUT]})


class CustomModelPage(BaseModel):
    """All of them, and what serves."""

    items: tuple[CustomModel, ...]
    rollout: Rollout


class NewRollout(BaseModel):
    """A version, and the share of photos that it is to render: 1 makes it live, less tries it out."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"sha256": SHA256, "share": 0.1}]}
    )

    sha256: contract.Sha256
    share: Annotated[float, Field(gt=0, le=1)] = 1.0
