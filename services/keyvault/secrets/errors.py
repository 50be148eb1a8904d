"""Errors of kept secrets and statements.

libs.common.errors
├── NotFound ── SecretLost
└── Invalid ── NotAStatement
"""

from __future__ import annotations

from libs.common.errors import Invalid, NotFound


class SecretLost(NotFound):
    """The secret does not open: it is another row's or tenant's, it was damaged, or its key was erased."""

    default_code = "secret_lost"


class NotAStatement(Invalid):
    """The platform signs certificates of erasure alone, and this is none."""

    default_code = "not_a_statement"
