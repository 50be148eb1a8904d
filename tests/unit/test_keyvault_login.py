"""Logging in at the vault: what is tried again and when, and what errors say and keep to themselves."""

from __future__ import annotations

from typing import Any

import pytest
from hvac import exceptions as refused  # type: ignore[import-untyped]
from pydantic import ValidationError

from services.keyvault.login import Connection, RoleSession, translate
from services.keyvault.settings import Role, VaultSettings
from services.keyvault.vault import Trouble, VaultRefused, VaultUnavailable

IDS = {role: {"role_id": f"{role}-role", "secret_id": f"{role}-secret-id"} for role in Role}


def settings(**changes: Any) -> VaultSettings:
    return VaultSettings.model_validate({"vault_addr": "https://vault.test", "approles": IDS} | changes)


class Refused:
    """A login that is refused, and counted."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, client: object, role: Role) -> dict[str, Any]:
        self.times += 1
        raise refused.InvalidRequest(errors=["invalid role or secret ID"])


def test_a_refused_login_is_not_tried_again_at_once() -> None:
    """Every lease would knock; some vaults lock out who knocks too often."""
    login, now = Refused(), [0.0]
    session = RoleSession(
        Role.LEASE, Connection(settings()), login, renewal=0.5, token_check_s=1, clock=lambda: now[0]
    )
    for _ in range(20):
        with pytest.raises(VaultUnavailable, match="role lease"):
            session.call(lambda _: None)
    assert login.times == 1
    now[0] = 2.1
    with pytest.raises(VaultUnavailable):
        session.call(lambda _: None)
    assert login.times == 2


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (refused.VaultDown(errors=["Vault is sealed"]), Trouble.SEALED),
        (refused.VaultNotInitialized(), Trouble.SEALED),
        (refused.RateLimitExceeded(errors=["request path: rate limit quota exceeded"]), Trouble.OVERLOADED),
        (refused.InternalServerError(errors=["local node not active but …"]), Trouble.STANDBY),
        (refused.InternalServerError(errors=["disk full"]), Trouble.BROKEN),
        (refused.UnexpectedError("<html>", text="<html>"), Trouble.BROKEN),
    ],
)
def test_what_passes_by_itself_is_unavailable(error: refused.VaultError, trouble: Trouble) -> None:
    """Nothing is lost by any of it: what waits is asked again."""
    said = translate(error, Role.LEASE)
    assert isinstance(said, VaultUnavailable)
    assert said.trouble is trouble


@pytest.mark.parametrize("kind", [refused.InvalidRequest, refused.Forbidden, refused.InvalidPath])
def test_what_the_vault_will_never_do_is_refused(kind: type[refused.VaultError]) -> None:
    """Asking again would not help."""
    assert isinstance(translate(kind(errors=["no"]), Role.LEASE), VaultRefused)


def test_an_error_never_repeats_a_body() -> None:
    """The answer to a batch that failed in part holds the plaintexts of all the others."""
    body = '{"data": {"batch_results": [{"plaintext": "c2VjcmV0"}]}}'
    for kind in (refused.InternalServerError, refused.InvalidRequest, refused.UnexpectedError):
        assert "c2VjcmV0" not in translate(kind(body, text=body), Role.LEASE).detail


@pytest.mark.parametrize(
    "changes",
    [
        {"approles": None},
        {"approle_folder": "/run/approles"},
        {"approles": {role: ids for role, ids in IDS.items() if role is not Role.SIGN}},
        {"vault_addr": "https://user:password@vault.test"},
    ],
)
def test_a_login_that_can_not_work_is_refused_at_start(changes: dict[str, Any]) -> None:
    """None, two, one for some roles only, and one that would stand in every log line."""
    with pytest.raises(ValidationError):
        settings(**changes)


def test_settings_do_not_show_a_secret_id() -> None:
    """Not in logs, not in tracebacks."""
    assert "secret-id" not in repr(settings())
