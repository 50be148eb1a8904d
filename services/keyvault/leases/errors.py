"""Why a lease is refused.

libs.common.errors.Conflict
├── RouteNotOpen
├── CredentialNotUsable
└── ProbeNotOpen
"""

from __future__ import annotations

from libs.common.errors import Conflict


class RouteNotOpen(Conflict):
    """The batch has nothing in flight on this credential. Leave its images; they are routed anew."""

    default_code = "route_not_open"


class CredentialNotUsable(Conflict):
    """The credential, or this version of it, may not be used now. Leave its images; they are routed anew."""

    default_code = "credential_not_usable"


class ProbeNotOpen(Conflict):
    """Nobody waits for this probe: it was answered, it is too old, or it is of something else."""

    default_code = "probe_not_open"
