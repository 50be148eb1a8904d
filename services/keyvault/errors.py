"""Errors of the keyvault service's own; those of the vault itself are in `vault.py`.

libs.common.errors.NotFound ── NoSuchCredential
libs.common.errors.Conflict
├── NotInPlan
├── TooManyCredentials
├── TermsMoved
├── ReplacementUnderWay
├── ReplacementNotVerified
├── NothingToRollBackTo
└── RotationIncomplete
libs.common.errors.Unavailable ── KeyMoved
"""

from __future__ import annotations

from libs.common.errors import Conflict, NotFound, Unavailable


class NoSuchCredential(NotFound):
    """The tenant has no such credential. List the credentials to see those that there are."""

    default_code = "credential_not_found"


class NotInPlan(Conflict):
    """The tenant's plan does not include its own keys. Ask for a plan with BYOK."""

    default_code = "byok_not_in_plan"


class TooManyCredentials(Conflict):
    """The tenant has as many credentials as it may have. Delete one that is no longer used."""

    default_code = "too_many_credentials"


class TermsMoved(Conflict):
    """Somebody else changed the credential in the meantime. Look at it again, then change it."""

    default_code = "credential_changed"


class ReplacementUnderWay(Conflict):
    """Another secret for this credential is being checked. Wait until that has ended."""

    default_code = "replacement_under_way"


class ReplacementNotVerified(Conflict):
    """The new secret was not found to work, and the one before it stays in use."""

    default_code = "replacement_not_verified"


class NothingToRollBackTo(Conflict):
    """There is no secret before this one, or its time to be brought back is over."""

    default_code = "nothing_to_roll_back_to"


class RotationIncomplete(Conflict):
    """Some ciphertexts could not be rewrapped; the old version of the key stays good until they are."""

    default_code = "rotation_incomplete"


class KeyMoved(Unavailable):
    """The tenant's key was rotated or erased in just this moment. Send the same again."""
