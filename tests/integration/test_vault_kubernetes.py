"""Logging in by a pod's service account: a real vault, asking a cluster's TokenReview whose token it is."""

from __future__ import annotations

import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.local.servers.openbao import OpenBao
from deploy.vault import bootstrap as steps
from services.keyvault.vault import Trouble, VaultUnavailable
from tests.servers.vaults import vault_of

NAMESPACE, UID = "mannequin", "0a1b2c3d-0000-4000-8000-000000000000"


class TokenReview(BaseHTTPRequestHandler):
    """What a cluster's API answers for any token of ours (authentication.k8s.io/v1)."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        name = json.loads(_unpadded(asked["spec"]["token"].split(".")[1]))["sub"]
        review = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "status": {"authenticated": True, "user": {"username": name, "uid": UID}},
        }
        body = json.dumps(review).encode()
        self.send_response(201)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None: ...


@pytest.fixture(scope="module")
def server(vault_server: OpenBao) -> Iterator[OpenBao]:
    """The vault, which lets the service account `keyvault` of a cluster in."""
    cluster = ThreadingHTTPServer(("127.0.0.1", 0), TokenReview)
    threading.Thread(target=cluster.serve_forever, daemon=True).start()
    root = vault_server.root_client()
    steps.allow_kubernetes(root, steps.ServiceAccount("keyvault", NAMESPACE))
    where = {
        "kubernetes_host": f"http://127.0.0.1:{cluster.server_port}",
        "disable_local_ca_jwt": True,
        "kubernetes_ca_cert": vault_server.ca.read_text(),
        "token_reviewer_jwt": token("reviewer"),
    }
    root.write_data("auth/kubernetes/config", data=where)
    yield vault_server
    cluster.shutdown()
    cluster.server_close()


async def test_the_service_account_of_the_key_vault_has_every_role(server: OpenBao, tmp_path: Path) -> None:
    """With the token that Kubernetes puts into the pod."""
    async with vault_of(server, **_pod(tmp_path, "keyvault")) as vault:
        await vault.ping()
        assert (await vault.intake_key()).version >= 1


async def test_another_service_account_has_none(server: OpenBao, tmp_path: Path) -> None:
    """A pod of another service on the same cluster."""
    async with vault_of(server, **_pod(tmp_path, "gateway")) as vault:
        with pytest.raises(VaultUnavailable) as refused:
            await vault.intake_key()
    assert refused.value.trouble is Trouble.TOKEN_DEAD


async def test_a_pod_without_a_token_says_so(server: OpenBao, tmp_path: Path) -> None:
    """Instead of dying of a file that is not there."""
    settings = {"auth": "kubernetes", "kubernetes_token": tmp_path / "none", "approle_folder": None}
    async with vault_of(server, **settings) as vault:
        with pytest.raises(VaultUnavailable, match="file"):
            await vault.intake_key()


def _pod(folder: Path, account: str) -> dict[str, object]:
    file = folder / "token"
    file.write_text(token(account))
    return {"auth": "kubernetes", "kubernetes_token": file, "approle_folder": None}


def token(account: str) -> str:
    """A service account's token; only the cluster, which is asked, looks at its signature."""
    pod = {"namespace": NAMESPACE, "serviceaccount": {"name": account, "uid": UID}}
    claims = {"sub": f"system:serviceaccount:{NAMESPACE}:{account}", "kubernetes.io": pod}
    parts = ({"alg": "RS256", "kid": "key"}, claims)
    encoded = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, urlsafe_b64encode(b"signature").decode().rstrip("=")])


def _unpadded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
