"""`mannequin vault bootstrap`: makes a production vault ready, with an operator's token."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

TOKEN = "VAULT_TOKEN"  # noqa: S105  # the variable's name


class Auth(StrEnum):
    """How the keyvault service logs in."""

    APPROLE = "approle"
    KUBERNETES = "kubernetes"


def bootstrap(
    address: Annotated[str, typer.Option(envvar="VAULT_ADDR", help="The vault's address.")],
    ca: Annotated[
        Path | None, typer.Option(envvar="VAULT_CACERT", help="PEM file of its certificate authority.")
    ] = None,
    namespace: Annotated[
        str | None, typer.Option(envvar="VAULT_NAMESPACE", help="A namespace of the vault.")
    ] = None,
    auth: Annotated[Auth, typer.Option(help="How the keyvault service logs in.")] = Auth.APPROLE,
    approles: Annotated[
        Path, typer.Option(help="AppRole: the folder for the role and secret ids (KEYVAULT_APPROLE_FOLDER).")
    ] = Path("approles"),
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="AppRole: make all earlier secret ids void.")
    ] = False,
    service_account: Annotated[
        str, typer.Option(help="Kubernetes: namespace/name of the pods' service account.")
    ] = "mannequin/keyvault",
) -> None:
    """Write policies, logins and the platform's keys into a vault. Again is fine, and gives new secret ids.

    An operator's token is read from `VAULT_TOKEN`; the platform neither needs nor keeps it.
    """
    import hvac  # type: ignore[import-untyped]
    import requests

    try:
        client = _client(address, ca, namespace)
        if auth is Auth.KUBERNETES:
            typer.echo(_by_kubernetes(client, service_account))
        else:
            typer.echo(_by_approle(client, approles, withdraw=withdraw))
    except (hvac.exceptions.VaultError, requests.RequestException) as error:
        typer.echo(f"the vault was not made ready: {error}", err=True)
        raise typer.Exit(1) from None


def _client(address: str, ca: Path | None, namespace: str | None) -> Any:
    from pydantic import SecretStr

    from deploy.vault import bootstrap as steps

    token = os.environ.get(TOKEN)
    if not token:
        raise typer.BadParameter(f"set {TOKEN} to a token that may write policies, mounts and logins")
    return steps.connect(address, SecretStr(token), ca, namespace)


def _by_kubernetes(client: Any, service_account: str) -> str:
    from deploy.vault import bootstrap as steps

    namespace, _, name = service_account.rpartition("/")
    steps.bootstrap(client)
    steps.allow_kubernetes(client, steps.ServiceAccount(name, namespace or "default"))
    return f"{service_account} may log in; auth/kubernetes/config has to say where its cluster is"


def _by_approle(client: Any, folder: Path, *, withdraw: bool) -> str:
    from deploy.vault import bootstrap as steps

    steps.bootstrap(client)
    steps.allow_approle(client)
    for role in steps.ROLES:
        if withdraw:
            steps.withdraw(client, role)
        steps.issue(client, role).write(folder, role)
    return f"role and secret ids of {', '.join(steps.ROLES)} are in {folder}"
