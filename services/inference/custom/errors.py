"""Errors of tenants' own models.

libs.common.errors
├── Refusal  ── NotInPlan             402
├── Invalid  ── CardUnreadable, TooManyVersions
├── NotFound ── NoSuchCustomModel, NoSuchModelVersion
└── Conflict ── VersionNotReady, NothingToRollBack
"""

from __future__ import annotations

from libs.common.errors import Conflict, Invalid, NotFound, Refusal


class NotInPlan(Refusal):
    """Models of your own are not in your plan."""

    status = 402
    default_code = "not_in_plan"


class CardUnreadable(Invalid):
    """The card does not say what the model's tensors mean."""

    default_code = "model_card_invalid"


class TooManyVersions(Invalid):
    """There are as many versions as are kept. Delete a model that is no longer needed."""

    default_code = "too_many_model_versions"


class NoSuchCustomModel(NotFound):
    """There is no such model."""

    default_code = "custom_model_not_found"


class NoSuchModelVersion(NotFound):
    """No model of yours has such a version."""

    default_code = "model_version_not_found"


class VersionNotReady(Conflict):
    """The version is still being checked, or was refused."""

    default_code = "model_version_not_ready"


class NothingToRollBack(Conflict):
    """No version of yours is live or being tried."""

    default_code = "nothing_to_roll_back"
