"""What the API answers about models of your own."""

from __future__ import annotations

from datetime import datetime

from libs.client.models import Model


class ModelVersion(Model):
    """A file as it was uploaded. `status`: checking, ready, or refused with a `reason`."""

    sha256: str
    status: str
    size: int
    opset: int | None = None
    run_ms: int | None = None
    memory_mib: int | None = None
    reason: str | None = None
    created_at: datetime


class CustomModel(Model):
    """A model by its name, its versions the newest first."""

    id: str
    name: str
    versions: tuple[ModelVersion, ...]
    created_at: datetime


class Rollout(Model):
    """Which version serves, by SHA-256; None is the platform's own model."""

    live: str | None = None
    canary: str | None = None
    canary_share: float = 0
    previous: str | None = None


class CustomModels(Model):
    """All models, and what serves."""

    items: tuple[CustomModel, ...]
    rollout: Rollout
