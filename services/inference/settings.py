"""Settings of the inference service (`INFERENCE_…`)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import SettingsConfigDict

from libs.common.contracts.inference import WorkerRole
from libs.common.contracts.providers import ProviderName
from libs.common.settings import DatabaseSettings


class InferenceSettings(DatabaseSettings):
    """role: local computes on this machine, remote on tenants' own accounts (it needs no GPU, and opens a
    model only for what providers draw). remote_places: images that a remote worker has on their way at a
    time. remote_allow_private: tenants' endpoints may be on this machine or its network, without TLS; for one
    machine and tests alone. remote_endpoints: where a provider's own API is, by its name, in place of its
    public address.

    provider: ONNX Runtime's execution provider; one asked for by name must be there. model: `name` or
    `name@version`. models: folder of further models, looked through first. custom_models: where files of
    tenants' own models are kept on this machine's disk; they can be fetched again. precision: of the model's
    files; auto is what its card recommends for where it runs. canary, canary_share: another model, and the
    share of the photos that it renders. model_memory_mib: what open models may take together. model_check_s:
    how often to look for a changed model (0: never). max_batch, batch_delay_ms, gpu_sessions, gpu_memory_mib,
    cuda_graphs, engine_cache: see Tuning. threads: images rendered at a time (0: one a core).
    c2pa_certificate, c2pa_key: PEM files of a signer's chain and private key, with which results that hold
    invented pixels are signed; c2pa_time_url: of a time-stamp authority.
    image_timeout_s: limit for an image that is rendered in a process of its own, after a worker died.
    """

    model_config = SettingsConfigDict(
        env_prefix="INFERENCE_", frozen=True, extra="ignore", populate_by_name=True
    )

    role: WorkerRole = WorkerRole.LOCAL
    remote_places: int = Field(16, ge=1, le=256)
    remote_allow_private: bool = False
    remote_endpoints: dict[ProviderName, str] = Field(default_factory=dict)
    objects_url: SecretStr = Field(validation_alias=AliasChoices("MANNEQUIN_OBJECTS_URL", "objects_url"))
    provider: Literal["auto", "cpu", "cuda", "tensorrt"] = "auto"
    model: str = "mannequin"
    models: Path | None = None
    custom_models: Path = Path(".mannequin/custom-models")
    precision: Literal["auto", "fp32", "fp16", "int8"] = "auto"
    canary: str | None = None
    canary_share: float = Field(0, ge=0, le=1)
    model_memory_mib: int = Field(2048, ge=64)
    model_check_s: float = Field(30, ge=0)
    max_batch: int = Field(0, ge=0, le=64)
    batch_delay_ms: float = Field(0, ge=0, le=1000)
    gpu_sessions: int = Field(1, ge=1, le=16)
    gpu_memory_mib: int = Field(0, ge=0)
    cuda_graphs: bool = False
    engine_cache: Path = Path(".mannequin/engines")
    threads: int = Field(0, ge=0, le=256)
    c2pa_certificate: Path | None = None
    c2pa_key: Path | None = None
    c2pa_algorithm: Literal["es256", "es384", "ps256", "ed25519"] = "es256"
    c2pa_time_url: str | None = None
    image_timeout_s: float = Field(120, gt=0)

    @property
    def places(self) -> int:
        """Images that a local worker renders at a time."""
        return self.threads or os.cpu_count() or 1
