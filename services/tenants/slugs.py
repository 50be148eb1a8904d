"""Which names below the platform's domain may be a tenant's. The contract has looked at their letters."""

from __future__ import annotations

from services.tenants.errors import SlugRefused

_RESERVED = frozenset(
    {
        *("admin", "api", "app", "assets", "auth", "billing", "blog", "cdn", "console", "dashboard", "demo"),
        *("dev", "docs", "help", "login", "mail", "mannequin", "metrics", "ops", "platform", "portal"),
        *("root", "security", "smtp", "sso", "staff", "staging", "static", "status", "support", "test"),
        *("vault", "webhooks", "webmail", "www", "autoconfig", "autodiscover", "localhost"),
    }
)


def check_slug(slug: str) -> None:
    """SlugRefused for names that look like the platform's own, or that browsers show as others.

    `ab--…` is kept for A-labels and the like (RFC 5891, 4.2.3.1): one could look like another's name.
    """
    if slug in _RESERVED:
        raise SlugRefused(f"{slug} is kept for the platform.", field="slug")
    if slug[2:4] == "--":
        raise SlugRefused("Hyphens can't be the third and fourth letter of a host name.", field="slug")
