"""Talking to a tenant's identity provider: every connection passes the egress guard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import ClientError, ClientSession
from authlib.oauth2.auth import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped]
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]
from pydantic import BaseModel, SecretStr, ValidationError

from libs.common.egress import Guard, UrlForbidden
from services.tenants.people.errors import IssuerAway, IssuerRefused, SsoFailed

_MOST_BYTES = 512_000
_DISCOVERY = "/.well-known/openid-configuration"
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Metadata(BaseModel):
    """What we need of OpenID Connect Discovery 1.0."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False

    @property
    def auth_method(self) -> str:
        basic = "client_secret_basic"
        return basic if basic in self.token_endpoint_auth_methods_supported else "client_secret_post"


class Provider:
    """One tenant's provider, as it is registered there. Nothing is kept between two sign-ins: a key that was
    withdrawn is out at once.
    """

    def __init__(self, session: ClientSession, guard: Guard, issuer: str) -> None:
        self._session = session
        self._guard = guard
        self._issuer = issuer

    async def metadata(self) -> Metadata:
        """IssuerRefused, IssuerAway."""
        found = await self._json("GET", self._issuer.rstrip("/") + _DISCOVERY)
        try:
            metadata = Metadata.model_validate(found)
        except ValidationError:
            raise IssuerAway("The identity provider's configuration can't be read.") from None
        if metadata.issuer != self._issuer:
            raise IssuerRefused("The identity provider calls itself by another issuer.")
        self._read(metadata.authorization_endpoint)
        return metadata

    def authorization_url(
        self, metadata: Metadata, client_id: str, redirect_url: str, state: str, nonce: str, verifier: str
    ) -> str:
        """Where the browser is sent."""
        url: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            client_id,
            "code",
            redirect_url,
            "openid email profile",
            state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return url

    async def exchange(
        self,
        metadata: Metadata,
        client: tuple[str, SecretStr],
        code: SecretStr,
        redirect_url: str,
        verifier: str,
    ) -> tuple[str, str]:
        """The ID token and the access token for a code. SsoFailed, IssuerAway."""
        body = prepare_token_request(
            "authorization_code", "", redirect_url, code=code.get_secret_value(), code_verifier=verifier
        )
        client_id, secret = client
        signing = ClientAuth(client_id, secret.get_secret_value(), metadata.auth_method)
        url, headers, data = signing.prepare("POST", metadata.token_endpoint, dict(_FORM), body)
        answer = await self._json("POST", url, headers, data, refused=SsoFailed)
        tokens = answer.get("id_token"), answer.get("access_token")
        if not all(isinstance(token, str) and token for token in tokens):
            raise SsoFailed("The identity provider gave no ID token.")
        return str(tokens[0]), str(tokens[1])

    async def keys(self, metadata: Metadata) -> dict[str, Any]:
        """The JWK set of now. IssuerAway."""
        return await self._json("GET", metadata.jwks_uri)

    async def userinfo(self, metadata: Metadata, access_token: str, subject: str) -> dict[str, Any]:
        """More claims of the same person (Core 1.0, 5.3.2). SsoFailed if it is another's."""
        if metadata.userinfo_endpoint is None:
            return {}
        headers = {"Authorization": f"Bearer {access_token}"}
        claims = await self._json("GET", metadata.userinfo_endpoint, headers, refused=SsoFailed)
        if claims.get("sub") != subject:
            raise SsoFailed("The identity provider tells of somebody else.")
        return claims

    def _read(self, url: str) -> None:
        try:
            self._guard.read(url)
        except UrlForbidden as forbidden:
            raise IssuerRefused(forbidden.detail) from None

    async def _json(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        data: str | None = None,
        refused: type[SsoFailed] | type[IssuerAway] = IssuerAway,
    ) -> dict[str, Any]:
        """A JSON object; redirects are not followed, and no more is read than one may need."""
        self._read(url)
        try:
            async with self._session.request(
                method,
                url,
                data=data,
                headers={"Accept": "application/json", **(headers or {})},
                allow_redirects=False,
            ) as response:
                raw = await response.content.read(_MOST_BYTES)
                while not response.content.at_eof() and len(raw) < _MOST_BYTES:
                    raw += await response.content.read(_MOST_BYTES - len(raw))
        except (ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            raise IssuerAway from error
        if response.status != 200:
            raise refused(f"The identity provider answers {response.status}.")
        return answered(raw)


def answered(raw: bytes) -> dict[str, Any]:
    """The JSON object that a provider sent. IssuerAway."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise IssuerAway("The identity provider's answer can't be read.")
    return found
