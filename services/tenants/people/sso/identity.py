"""Who an identity provider says somebody is, and whether that suffices: a pure rule."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from services.tenants.people.emails import domain_of, normalised
from services.tenants.people.errors import EmailInvalid, SsoFailed


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody as the provider knows them; `issuer` and `subject` never change, the address may."""

    issuer: str
    subject: str
    email: str
    name: str


def identity(claims: Mapping[str, Any], issuer: str, domains: Collection[str]) -> Identity:
    """From the claims of a checked token. SsoFailed if the address is not verified or of another domain."""
    if claims.get("email_verified") is not True:
        raise SsoFailed("The identity provider does not say that the e-mail address is verified.")
    try:
        email = normalised(str(claims.get("email", "")))
        domain = domain_of(email)
    except (EmailInvalid, UnicodeError):
        raise SsoFailed("The identity provider gives no e-mail address.") from None
    if domain not in domains:
        raise SsoFailed("The e-mail address is not of a domain that may sign in here.")
    name = "".join(letter for letter in str(claims.get("name") or "") if letter.isprintable()).strip()
    return Identity(issuer, str(claims["sub"]), email, name[:200] or email.partition("@")[0])
