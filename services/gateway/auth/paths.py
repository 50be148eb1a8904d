"""What anybody may ask for without a credential; everything else needs one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paths:
    """Paths by themselves, and all that begin alike. `in` tells whether one is among them."""

    exact: frozenset[str]
    prefixes: tuple[str, ...]

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and (path in self.exact or path.startswith(self.prefixes))


PUBLIC_PATHS = Paths(
    exact=frozenset(
        {
            "/",
            "/docs",
            "/healthz",
            "/api/v1/openapi.json",
            "/api/v1/branding",
            "/api/v1/branding/logo",
            "/api/v1/branding/favicon",
        }
    ),
    prefixes=("/docs/", "/.well-known/", "/api/v1/auth/", "/api/v1/erasures/", "/api/v1/platform/auth/"),
)
"""A credential that is sent to one of them all the same is looked at, and counts if it is good."""
