"""What is shown of a secret, and what never is."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.contracts.credentials import SealedSecret
from libs.common.contracts.ids import CredentialId, TenantId
from libs.common.contracts.providers import ProviderName
from libs.common.sealing import NotSealedForThis
from services.keyvault.encrypt import Kept, last_four
from services.keyvault.intake import take_in
from services.keyvault.vault import CiphertextLost, Context, Vault
from tests.servers.planted import planted

BEARER = ProviderName.OPEN_INFERENCE


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=80))
def test_at_most_four_characters_and_never_more_than_a_quarter_are_shown(secret: str) -> None:
    """Of a short secret less, so that it can't be guessed from them."""
    shown = last_four(BEARER, {"bearer": secret})
    assert secret.endswith(shown)
    assert len(shown) <= min(4, len(secret) / 4)


def test_a_long_secret_is_known_by_its_last_four_characters() -> None:
    """By those of the first secret field that the provider's card has."""
    assert last_four(BEARER, {"api_key": "not-the-main-one", "bearer": "abcdefghijklmnop"}) == "mnop"


def test_a_service_account_is_known_by_the_name_of_its_key() -> None:
    """The end of such a file is the same for all of them."""
    file = {"private_key_id": "0123456789abcdef", "private_key": planted(), "universe_domain": "x.example"}
    assert last_four(ProviderName.GOOGLE_VERTEX, {"service_account": json.dumps(file)}) == "cdef"
    assert last_four(ProviderName.GOOGLE_VERTEX, {"service_account": "{}"}) == ""


def test_what_the_database_keeps_is_not_in_a_repr() -> None:
    """Neither is the ciphertext, which a log has no use for."""
    kept = Kept(ciphertext="vault:v1:abcdef", key_version=1, last_four="wxyz", fingerprint="0f")
    assert "vault:v1" not in repr(kept)


async def test_a_sealed_secret_that_does_not_open_leaves_nothing_in_the_traceback() -> None:
    """Whatever the vault had to say of it."""
    secret = planted()

    class Refusing:
        async def unwrap(self, version: int, wrapped_key: str) -> bytes:
            raise CiphertextLost(f"the vault quotes {wrapped_key}")

    sealed = SealedSecret(key_version=1, wrapped_key=secret, nonce="", ciphertext=secret)
    vault: Vault = Refusing()  # type: ignore[assignment]  # it is asked for nothing else
    with pytest.raises(NotSealedForThis) as refused:
        await take_in(vault, Context(TenantId.new(), BEARER, CredentialId.new()), {}, sealed)
    assert secret not in "".join(traceback.format_exception(refused.value))


FAILING = """
import sys
from libs.common.telemetry import configure_logs, logger
from libs.common.providers.fields import Fields

def hold(secret):
    fields = Fields({}, {"bearer": secret})
    raise RuntimeError(f"a bug met {fields}")

configure_logs("keyvault")
try:
    hold(sys.stdin.read())
except RuntimeError:
    logger("keyvault").exception("went_wrong")
"""


def test_the_log_of_an_error_shows_where_and_not_with_what_values() -> None:
    """A service's tracebacks have no local variables in them, among which a secret may be."""
    secret = planted()
    run = [sys.executable, "-c", FAILING]
    said = subprocess.run(run, input=secret, capture_output=True, text=True, check=True, timeout=60)
    assert "a bug met Fields(settings={})" in said.stderr
    assert secret not in said.stderr + said.stdout
