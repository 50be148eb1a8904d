"""Errors of human models.

libs.common.errors
├── NotBought ── NotInPlan
├── Invalid ──── UnknownHumanModel, ConsentInvalid
├── NotFound ─── NoSuchHumanModel
└── Conflict ─── HumanModelNotReady, ConsentExpired, TooManyHumanModels
"""

from __future__ import annotations

from libs.common.contracts.human_models import MAX_HUMAN_MODELS
from libs.common.errors import Conflict, Invalid, NotBought, NotFound

FIELD = "human_model"


class NotInPlan(NotBought):
    """Human models of your own are not in the plan. Ask for a plan that holds them."""


class NoSuchHumanModel(NotFound):
    """There is no such human model. Check the id, and that the API key is of the tenant that made it."""

    default_code = "human_model_not_found"


class UnknownHumanModel(Invalid):
    """There is no such human model. List yours to see which there are."""

    default_code = "human_model_not_found"

    def __init__(self) -> None:
        super().__init__(field=FIELD)


class HumanModelNotReady(Conflict):
    """The human model is not ready: its photo is still being checked, or was refused."""

    default_code = "human_model_not_ready"


class ConsentExpired(Conflict):
    """The consent of the person in the photo has expired. Renew it, then set its new end."""

    default_code = "consent_expired"


class ConsentInvalid(Invalid):
    """The consent does not fit: it must have been obtained already, and end after that."""

    default_code = "consent_invalid"


class TooManyHumanModels(Conflict):
    """There are as many human models as one tenant may have. Delete one that is no longer needed."""

    default_code = "too_many_human_models"

    def __init__(self) -> None:
        super().__init__(f"A tenant has {MAX_HUMAN_MODELS:,} human models at most; delete one first.")
