"""Logged in at the vault as one role: the token, its renewal, and what is wrong when it does not work.

Blocking, as hvac is; every method may be called from several threads at once.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import hvac  # type: ignore[import-untyped]
import requests
from hvac import exceptions as refused
from requests.adapters import HTTPAdapter

from services.keyvault.settings import AppRole, AuthMethod, Role, VaultSettings
from services.keyvault.vault import Trouble, VaultError, VaultRefused, VaultUnavailable

Answer = TypeVar("Answer")
Client = Any
"""`hvac.Client`, which has no types."""
_RENEWAL_SPREAD = 0.1
_LOGIN_PAUSE_S = 2.0
"""Between logins that were refused: each costs the vault, and some vaults lock out who tries too often."""
_DENIED = (refused.Forbidden, refused.Unauthorized)


class Login(Protocol):
    """A way of logging in."""

    def __call__(self, client: Client, role: Role) -> dict[str, Any]:
        """The vault's answer, whose `auth` has the token; raises hvac's errors, OSError for a lost file."""


class AppRoleLogin:
    """By AppRole; role and secret ids from the settings, or read anew from their files at each login."""

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings

    def __call__(self, client: Client, role: Role) -> dict[str, Any]:
        """See Login."""
        approle = self._approle(role)
        answer: dict[str, Any] = client.auth.approle.login(
            role_id=approle.role_id,
            secret_id=approle.secret_id.get_secret_value(),
            use_token=False,
            mount_point=self._settings.auth_mount or AuthMethod.APPROLE.value,
        )
        return answer

    def _approle(self, role: Role) -> AppRole:
        if self._settings.approles is not None:
            return self._settings.approles[role]
        folder = self._settings.approle_folder
        assert folder is not None  # as the settings see to
        role_id, secret_id = ((folder / f"{role}.{kind}").read_text() for kind in ("role-id", "secret-id"))
        return AppRole.model_validate({"role_id": role_id.strip(), "secret_id": secret_id.strip()})


class KubernetesLogin:
    """By the pod's service account, whose token Kubernetes replaces in its file."""

    def __init__(self, settings: VaultSettings) -> None:
        self._settings = settings

    def __call__(self, client: Client, role: Role) -> dict[str, Any]:
        """See Login."""
        answer: dict[str, Any] = client.auth.kubernetes.login(
            role=f"mannequin-{role}",
            jwt=self._settings.kubernetes_token.read_text().strip(),
            use_token=False,
            mount_point=self._settings.auth_mount or AuthMethod.KUBERNETES.value,
        )
        return answer


def login_of(settings: VaultSettings) -> Login:
    """The configured way."""
    return AppRoleLogin(settings) if settings.auth is AuthMethod.APPROLE else KubernetesLogin(settings)


class Connection:
    """Connections to the vault, kept open and shared by all roles; the certificate is always checked."""

    def __init__(self, settings: VaultSettings) -> None:
        self.address = settings.vault_addr.rstrip("/")
        self._namespace = settings.vault_namespace
        self._timeout_s = settings.vault_timeout_s
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between us and the vault, and no other authorities
        self._session.verify = str(settings.vault_ca) if settings.vault_ca else True
        pool = HTTPAdapter(pool_connections=1, pool_maxsize=settings.vault_threads + 2)
        self._session.mount(self.address, pool)

    def client(self, token: str = "", timeout_s: float | None = None) -> Client:
        """A client with that token; without one it can only log in and ask for the vault's health."""
        return hvac.Client(
            self.address,
            token=token,
            session=self._session,
            timeout=timeout_s or self._timeout_s,
            namespace=self._namespace,
        )

    def close(self) -> None:
        """Close all connections."""
        self._session.close()


@dataclass(frozen=True)
class _Token:
    client: Client
    renew_at: float
    seconds: float


class RoleSession:
    """One role's work at the vault. A dead token is replaced by a new login, once a call.

    token_check_s: after how long without a call that went well `check` asks the vault about the token.
    """

    def __init__(
        self,
        role: Role,
        connection: Connection,
        login: Login,
        *,
        renewal: float,
        token_check_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.role = role
        self._connection = connection
        self._login = login
        self._renewal = renewal
        self._token_check_s = token_check_s
        self._clock = clock
        self._lock = threading.Lock()
        self._token: _Token | None = None
        self._good_until = 0.0
        self._login_again_at = 0.0
        self._login_refused = ""

    def call(self, work: Callable[[Client], Answer]) -> Answer:
        """What `work` gives, called with a client that is logged in. VaultUnavailable, VaultRefused."""
        try:
            with answering(self._connection, self.role):
                answer = self._logged_in(work)
        except VaultUnavailable:
            self._good_until = 0.0
            raise
        self._good_until = self._clock() + self._token_check_s
        return answer

    def check(self) -> None:
        """Renew or replace the token where that is due, and see that it lives. VaultUnavailable."""
        with answering(self._connection, self.role):
            token = self._token
            if token is not None and self._clock() >= token.renew_at:
                self._renew(token)
        if self._clock() >= self._good_until:
            self.call(lambda client: client.auth.token.lookup_self())

    def _logged_in(self, work: Callable[[Client], Answer]) -> Answer:
        token = self._token or self._log_in(instead_of=None)
        try:
            return work(token.client)
        except _DENIED:
            if _lives(token.client):
                raise
        return work(self._log_in(instead_of=token).client)

    def _log_in(self, instead_of: _Token | None) -> _Token:
        with self._lock:  # the first that finds the token dead logs in for all
            if self._token is instead_of or self._token is None:
                self._token = self._keep(self._new_token()["auth"])
            return self._token

    def _new_token(self) -> dict[str, Any]:
        if self._clock() < self._login_again_at:
            raise _no_login(self.role, self._login_refused)
        try:
            return self._login(self._connection.client(), self.role)
        except requests.RequestException:  # an OSError as well, but of the way to the vault
            raise
        except (refused.InvalidRequest, *_DENIED, OSError) as error:
            lost = isinstance(error, OSError)
            self._login_refused = "a file of it can't be read" if lost else "the vault refused it"
            self._login_again_at = self._clock() + _LOGIN_PAUSE_S
            raise _no_login(self.role, self._login_refused) from None

    def _renew(self, token: _Token) -> None:
        """One that is near its greatest age is renewed for ever shorter: a new one is better then.

        And is it not renewed at all (past that age the vault says 500), the login tells what is wrong.
        """
        try:
            renewed = token.client.auth.token.renew_self()["auth"]
        except refused.VaultError:
            self._log_in(instead_of=token)
            return
        if renewed["lease_duration"] < token.seconds / 2:
            self._log_in(instead_of=token)
            return
        with self._lock:
            if self._token is token:
                self._token = self._keep(renewed)

    def _keep(self, auth: dict[str, Any]) -> _Token:
        seconds = float(auth["lease_duration"])
        share = self._renewal * (1 - random.random() * _RENEWAL_SPREAD)  # noqa: S311  # apart, no secret
        client = self._connection.client(auth["client_token"])
        return _Token(client, self._clock() + seconds * share, seconds)


def _lives(client: Client) -> bool:
    """Whether the token is good, so that it was the policy that refused."""
    try:
        client.auth.token.lookup_self()
    except _DENIED:
        return False
    return True


def _no_login(role: Role, reason: str) -> VaultUnavailable:
    return VaultUnavailable(
        f"the login of the role {role} does not work ({reason}): its token is dead and there is no new one. "
        "Give it a new secret id (`mannequin vault bootstrap`), or look at the vault's auth method",
        trouble=Trouble.TOKEN_DEAD,
    )


@contextmanager
def answering(connection: Connection, role: Role | None = None) -> Iterator[None]:
    """hvac's and requests' errors as ours."""
    address = connection.address
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise _unavailable(
            Trouble.UNREACHABLE, f"the certificate of {address} is not trusted: look at VAULT_CACERT"
        ) from error
    except requests.RequestException as error:
        raise _unavailable(
            Trouble.UNREACHABLE, f"nothing answers at {address}: start the vault, or look at VAULT_ADDR"
        ) from error
    except refused.VaultError as error:
        raise translate(error, role) from None  # its own message may be the body


def translate(error: refused.VaultError, role: Role | None) -> VaultError:
    """What an answer of the vault other than 2xx means (its HTTP API, "HTTP status codes").

    Only the vault's own reasons are repeated, never a body, in which a batch's plaintexts may be.
    """
    said = ", ".join(error.errors or ()).strip() or "it gives no reason"
    match error:
        case refused.VaultDown():
            return _unavailable(Trouble.SEALED, "the vault is sealed: unseal it, or look at its seal's key")
        case refused.VaultNotInitialized():
            return _unavailable(Trouble.SEALED, "the vault was never initialised: initialise it")
        case refused.RateLimitExceeded():
            return _unavailable(Trouble.OVERLOADED, "the vault's rate limit is reached: raise the quota")
        case refused.InternalServerError() if "not active" in said:
            return no_leader()
        case refused.InvalidRequest() | refused.InvalidPath() | refused.Forbidden() | refused.Unauthorized():
            return VaultRefused(f"the vault refused the role {role}: {said}")
        case _:
            return _unavailable(Trouble.BROKEN, f"the vault fails: {said}. Look at its log")


def no_leader() -> VaultUnavailable:
    """A standby can pass nothing on."""
    return _unavailable(
        Trouble.STANDBY, "the vault's node is a standby and no node is active: look at the cluster's leader"
    )


def no_vault(address: str) -> VaultUnavailable:
    """Something else answers there."""
    return _unavailable(Trouble.BROKEN, f"what answers at {address} is no vault: look at VAULT_ADDR")


def _unavailable(trouble: Trouble, detail: str) -> VaultUnavailable:
    return VaultUnavailable(detail, trouble=trouble)
