"""What the owner of a credential can do about a fault."""

from __future__ import annotations

from libs.common.contracts.providers import FaultCode

_WAIT = "Nothing to do: the provider is in trouble and the check goes on by itself."

_ADVICE = {
    FaultCode.REVOKED: "Create a new key at the provider and replace this credential with it.",
    FaultCode.EXPIRED: "Renew the key at the provider and replace this credential with the new one.",
    FaultCode.NO_PERMISSION: "Give the key the permission that the detail names, then verify the credential.",
    FaultCode.QUOTA: "Raise the quota at the provider or wait for a new one, then verify the credential.",
    FaultCode.BILLING: "Settle the bill of the account at the provider, then verify the credential.",
    FaultCode.MALFORMED: "Copy the key from the provider again, whole, and replace this credential with it.",
    FaultCode.NOT_FOUND: "Check the endpoint, region and model of the credential's settings.",
    FaultCode.RETIRED: "Choose the model that came after the retired one in the credential's settings.",
    FaultCode.OVERLOADED: _WAIT,
    FaultCode.UNAVAILABLE: "Check that the endpoint runs and can be reached; the check goes on by itself.",
    FaultCode.TIMEOUT: "Check that the endpoint answers in time; the check goes on by itself.",
    FaultCode.BAD_ANSWER: "Check that the endpoint serves the model that the settings name.",
}


def advice(code: FaultCode | None) -> str:
    """A sentence or two; empty where nothing is wrong with the credential."""
    return _ADVICE.get(code, "") if code else ""
