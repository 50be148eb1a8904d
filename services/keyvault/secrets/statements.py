"""The platform's signature: given to certificates of erasure and to nothing else."""

from __future__ import annotations

import json

from libs.common.contracts.erasure import SignedStatement, SignStatement
from services.keyvault.secrets.errors import NotAStatement
from services.keyvault.secrets.vault import SecretsVault

KINDS = frozenset({"mannequin.erasure.v1/tenant"})
"""What another service may have signed. This service's own certificates have a kind of theirs."""


async def sign(vault: SecretsVault, query: SignStatement) -> SignedStatement:
    """NotAStatement, VaultUnavailable."""
    check(query)
    return SignedStatement(
        signature=await vault.sign(query.statement.encode()), public_key=await vault.certificate_key()
    )


def check(query: SignStatement) -> None:
    """NotAStatement unless it is JSON of a known kind, about the tenant that the query names."""
    try:
        said = json.loads(query.statement)
    except (ValueError, RecursionError):
        raise NotAStatement from None
    kind = said.get("kind") if isinstance(said, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise NotAStatement(f"of these kinds alone: {', '.join(sorted(KINDS))}")
    if said.get("tenant_sha256") != query.tenant_sha256:
        raise NotAStatement("it is about another tenant than the request")
