"""ONNX models of tenants (owner: the inference service): checked, tried out on a share, and rolled back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from libs.common.contracts.ids import CustomModelId
from libs.common.contracts.message import Body, Command, Query

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
ModelName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Share = Annotated[float, Field(gt=0, le=1)]
MOST_MODEL_BYTES = 256 * 1024 * 1024


class VersionStatus(StrEnum):
    """A version is looked at in a sandbox, and then `ready` or `refused` for good."""

    CHECKING = "checking"
    READY = "ready"
    REFUSED = "refused"


class ModelVersion(Body):
    """A file as it was uploaded. `reason` says why it was refused and how to mend it.

    What the sandbox measured of one run: `run_ms` on one core of a CPU, and `memory_mib` at most.
    """

    sha256: str
    status: VersionStatus
    size: int
    opset: int | None = None
    run_ms: int | None = None
    memory_mib: int | None = None
    reason: str | None = None
    created_at: datetime


class CustomModel(Body):
    """A model by its name, its versions the newest first."""

    id: CustomModelId
    name: str
    versions: tuple[ModelVersion, ...]
    created_at: datetime


class ModelRollout(Body):
    """Which model renders a tenant's images on the platform: versions by SHA-256, None for our own.

    `canary_share` (0 to 1) of the photos, by their content, go to `canary`, all others to `live`. `previous`
    is what a roll back brings back.
    """

    live: str | None = None
    canary: str | None = None
    canary_share: float = 0
    previous: str | None = None


class CustomModelList(Body):
    items: tuple[CustomModel, ...]
    rollout: ModelRollout


class AddModelVersion(Query[CustomModel]):
    """Take in a file; the same file again is the same version. `card` says what its tensors mean."""

    wire = "inference.add_model_version.v1"
    reply = CustomModel
    name: ModelName
    card: dict[str, Any]
    key: str
    sha256: Sha256
    size: int


class ListCustomModels(Query[CustomModelList]):
    wire = "inference.list_custom_models.v1"
    reply = CustomModelList


class GetCustomModel(Query[CustomModel]):
    wire = "inference.get_custom_model.v1"
    reply = CustomModel
    model_id: CustomModelId


class DeleteCustomModel(Query[CustomModel]):
    """With all its files; what it serves goes back to the platform's own model."""

    wire = "inference.delete_custom_model.v1"
    reply = CustomModel
    model_id: CustomModelId


class RollOutModel(Query[ModelRollout]):
    """Give a version a share: 1 makes it live, less tries it out beside what is live."""

    wire = "inference.roll_out_model.v1"
    reply = ModelRollout
    sha256: Sha256
    share: Share


class RollBackModel(Query[ModelRollout]):
    """End a try, or else bring back what was live before; the platform's own model in the end."""

    wire = "inference.roll_back_model.v1"
    reply = ModelRollout


class CheckModelVersion(Command):
    """Look at a version in the sandbox (the inference service asks itself)."""

    wire = "inference.check_model_version.v1"
    sha256: Sha256
