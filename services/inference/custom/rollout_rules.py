"""Which version of a tenant's models serves, after each call: rules without a database."""

from __future__ import annotations

from libs.common.contracts.custom_models import ModelRollout
from services.inference.custom.errors import NothingToRollBack


def rolled_out(now: ModelRollout, sha256: str, share: float) -> ModelRollout:
    """With 1 the version is live, and what was live can come back; with less it is tried beside that."""
    if share < 1:
        return now.model_copy(update={"canary": sha256, "canary_share": share})
    previous = now.live if now.live != sha256 else now.previous
    return ModelRollout(live=sha256, previous=previous)


def rolled_back(now: ModelRollout) -> ModelRollout:
    """A try ends; without one, what was live before is live again, the platform's own in the end.

    NothingToRollBack.
    """
    if now.canary is not None:
        return now.model_copy(update={"canary": None, "canary_share": 0})
    if now.live is None:
        raise NothingToRollBack
    return ModelRollout(live=now.previous)


def without(now: ModelRollout, gone: frozenset[str]) -> ModelRollout:
    """After versions were deleted: nothing that is gone serves, or can come back."""
    kept = {name: None if getattr(now, name) in gone else getattr(now, name) for name in ("live", "previous")}
    canary = None if now.canary in gone else now.canary
    return ModelRollout(**kept, canary=canary, canary_share=now.canary_share if canary else 0)
