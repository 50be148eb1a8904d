"""Signatures of webhooks, and secrets at rest."""

from __future__ import annotations

import base64
import time

import pytest
from cryptography.fernet import Fernet, InvalidToken
from pydantic import SecretStr
from standardwebhooks import Webhook, WebhookVerificationError

from libs.client.webhooks import verify_webhook
from services.webhooks.seal import Seal
from services.webhooks.sign import headers, new_secret

BODY = '{"type":"batch.completed","data":{"name":"Ärmel"}}'.encode()


def test_the_standard_library_verifies_ours_unmodified() -> None:
    """And so does our own client."""
    secret = new_secret()
    signed = headers("whd_1", int(time.time()), BODY, [secret])
    assert Webhook(secret.get_secret_value()).verify(BODY, signed)["type"] == "batch.completed"
    assert verify_webhook(secret.get_secret_value(), signed, BODY)["type"] == "batch.completed"


def test_while_a_secret_is_rotated_both_verify() -> None:
    """A signature for each, with a space between."""
    new, old = new_secret(), new_secret()
    signed = headers("whd_1", int(time.time()), BODY, [new, old])
    assert [part[:3] for part in signed["webhook-signature"].split(" ")] == ["v1,", "v1,"]
    for secret in (new, old):
        Webhook(secret.get_secret_value()).verify(BODY, signed)


@pytest.mark.parametrize(
    ("header", "value"), [("webhook-id", "whd_2"), ("webhook-timestamp", str(int(time.time()) - 1))]
)
def test_id_time_and_body_are_all_signed(header: str, value: str) -> None:
    """Changing any of them is noticed."""
    secret = new_secret()
    signed = headers("whd_1", int(time.time()), BODY, [secret])
    hook = Webhook(secret.get_secret_value())
    with pytest.raises(WebhookVerificationError):
        hook.verify(BODY, signed | {header: value})
    with pytest.raises(WebhookVerificationError):
        hook.verify(BODY + b" ", signed)


def test_a_secret_is_of_the_standard_form_and_never_the_same() -> None:
    """`whsec_` and 24 to 64 bytes."""
    first, second = new_secret().get_secret_value(), new_secret().get_secret_value()
    assert first != second
    assert first.startswith("whsec_")
    assert 24 <= len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) <= 64


def test_sealed_secrets_outlive_the_rotation_of_the_key() -> None:
    """The first key seals; all open; one that is not there any more does not."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    secret = new_secret()
    sealed = Seal(SecretStr(old)).seal(secret)
    assert b"whsec" not in sealed
    assert Seal(SecretStr(f"{new}, {old}")).open(sealed) == secret
    again = Seal(SecretStr(f"{new},{old}")).seal(secret)
    assert Seal(SecretStr(new)).open(again) == secret
    with pytest.raises(InvalidToken):
        Seal(SecretStr(new)).open(sealed)
