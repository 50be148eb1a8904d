"""Access tokens and small secrets that other services keep (owner: keyvault).

Tokens are JWTs (RFC 7519, profile of RFC 9068), EdDSA with Ed25519 (RFC 8037), signed inside the vault: the
private key never leaves it. A token is short-lived; ending its session or revoking it is told to every
gateway.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import Field

from libs.common.contracts.ids import SessionId, TenantId, TokenId
from libs.common.contracts.message import Body, Event, Query, Secret, Signal

ISSUER: Final = "mannequin"


class Realm(StrEnum):
    """The audience (`aud`) of a token: a tenant's API, or the platform's own."""

    TENANT = "mannequin:tenant"
    PLATFORM = "mannequin:platform"


class Claims(Body):
    """What a token says. `sub`: a key's, user's or staff member's id; `scope`: permissions, separated by
    blanks.

    `test`: issued to a test key, renders with a watermark. `acting_for`: why one of the platform's people
    acts in the tenant; `sub` is that person. `tenant_id` is None in the platform's realm only.
    """

    iss: Literal["mannequin"] = ISSUER
    aud: Realm
    sub: str = Field(max_length=100)
    tenant_id: TenantId | None = None
    scope: str = Field(max_length=2000)
    sid: SessionId | None = None
    jti: TokenId
    iat: int
    exp: int
    test: bool = False
    acting_for: str | None = Field(None, max_length=500)


class IssuedToken(Body):
    """`token` is the whole JWT."""

    token: Secret
    claims: Claims


class SignToken(Query[IssuedToken]):
    """Sign a token for the tenant in the envelope (None: the platform's realm).

    `lifetime_s` is cut to what the vault's service allows (15 minutes; 60 for acting inside a tenant).
    """

    wire = "keyvault.sign_token.v1"
    reply = IssuedToken
    aud: Realm
    sub: str = Field(max_length=100)
    scope: str = Field(max_length=2000)
    sid: SessionId | None = None
    lifetime_s: int = Field(600, ge=1, le=3600)
    test: bool = False
    acting_for: str | None = Field(None, max_length=500)


class TokenKeys(Body):
    """A JWK set (RFC 7517): every key whose tokens may still be alive, and the next one before it signs."""

    keys: tuple[dict[str, Any], ...]


class GetTokenKeys(Query[TokenKeys]):
    wire = "keyvault.get_token_keys.v1"
    reply = TokenKeys


class RotateTokenKey(Query[TokenKeys]):
    """The platform's: tokens are signed with a new key from now on; older ones live out their time."""

    wire = "keyvault.rotate_token_key.v1"
    reply = TokenKeys


class TokenKeysChanged(Signal):
    """Every gateway reads the JWK set again."""

    wire = "keyvault.token_keys_changed.v1"


class AccessRevoked(Event):
    """Tokens that must not be taken any more although they have not run out; exactly one of the first three
    is set.

    `subject`: all tokens of that `sub` issued before `before`. Kept until `until`, when the last of them is
    dead.
    """

    wire = "tenants.access_revoked.v1"
    token_id: TokenId | None = None
    session_id: SessionId | None = None
    subject: str | None = Field(None, max_length=100)
    before: datetime
    until: datetime


class SecretPurpose(StrEnum):
    """What a kept secret is for: part of what it is encrypted under."""

    TOTP = "totp"
    SSO_CLIENT = "sso_client"


class Protected(Body):
    """`vault:v1:…`; opens for the same tenant, purpose and owner only."""

    ciphertext: str


class ProtectSecret(Query[Protected]):
    """Encrypt under the key of the tenant in the envelope (None: a key of the platform's). `owner`: the row's
    id.

    The secret is in this request alone, which no broker stores.
    """

    wire = "keyvault.protect_secret.v1"
    reply = Protected
    purpose: SecretPurpose
    owner: str = Field(min_length=3, max_length=100)
    secret: Secret


class Revealed(Body):
    secret: Secret


class RevealSecret(Query[Revealed]):
    """Decrypt again; a ciphertext of another row or tenant does not open (Permanent there, NotFound here)."""

    wire = "keyvault.reveal_secret.v1"
    reply = Revealed
    purpose: SecretPurpose
    owner: str = Field(min_length=3, max_length=100)
    ciphertext: str = Field(max_length=20_000)
