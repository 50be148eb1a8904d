"""Errors of branding.

libs.common.errors
├── NotBought ── NotInPlan
├── Invalid ── ContrastTooLow, PictureRefused, HostRefused
├── Conflict ── HostNotAvailable, TooManyDomains
└── NotFound ── NoSuchDomain
"""

from __future__ import annotations

from libs.common.contracts.branding import MAX_DOMAINS, ContrastPair
from libs.common.errors import Conflict, Invalid, NotBought, NotFound


class NotInPlan(NotBought):
    """A brand of your own is not in the plan. Ask for a plan with white-label."""


class ContrastTooLow(Invalid):
    """A colour can't be told well enough from what it stands on (WCAG 2.2, 1.4.3 and 1.4.11)."""

    default_code = "contrast_too_low"

    def __init__(self, name: str, pair: ContrastPair) -> None:
        super().__init__(
            f"{name} {pair.foreground} on background {pair.background} has a contrast of {pair.ratio:.2f}:1, "
            f"and {pair.needed:g}:1 is needed. The nearest colour that passes is {pair.nearest}.",
            field=f"colours.{name}",
        )


class PictureRefused(Invalid):
    """The picture can't be shown. Send an SVG, or a PNG, JPEG or WebP."""

    default_code = "picture_refused"


class HostRefused(Invalid):
    """The host can't be a domain of yours."""

    default_code = "host_refused"


class HostNotAvailable(Conflict):
    """The host is in use elsewhere. Write to support if it is yours."""

    default_code = "host_not_available"


class TooManyDomains(Conflict):
    default_code = "too_many_domains"

    def __init__(self) -> None:
        super().__init__(f"There are {MAX_DOMAINS} domains already. Remove one that is no longer needed.")


class NoSuchDomain(NotFound):
    """The tenant has no such domain. List them to see which there are."""

    default_code = "domain_not_found"
