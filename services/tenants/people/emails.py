"""E-mail addresses, written in one way (RFC 5321, RFC 6531)."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email

from services.tenants.people.errors import EmailInvalid


def normalised(text: str) -> str:
    """The address in lower case and NFC, its domain in Unicode; no DNS is asked. EmailInvalid."""
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized.lower()
    except EmailNotValidError:
        raise EmailInvalid from None


def domain_of(address: str) -> str:
    """Of a normalised address, as DNS knows it (A-labels)."""
    return address.rpartition("@")[2].encode("idna").decode()
