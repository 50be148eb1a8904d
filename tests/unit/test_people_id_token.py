"""What an ID token must say to be believed, and what must be said of a person."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from services.tenants.people.errors import IssuerAway, SsoFailed
from services.tenants.people.sso.id_token import Expected, checked
from services.tenants.people.sso.identity import identity
from services.tenants.people.sso.provider import answered

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
SECOND = int(NOW.timestamp())
EXPECTED = Expected("https://login.shop.example", "mannequin", "the-nonce")
RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec"})
STRANGER = RSAKey.generate_key(2048, {"kid": "rsa"})
KEYS: dict[str, Any] = dict(KeySet([RSA, EC]).as_dict(private=False))
CLAIMS: dict[str, Any] = {
    "iss": EXPECTED.issuer,
    "aud": EXPECTED.client_id,
    "sub": "subject-1",
    "nonce": EXPECTED.nonce,
    "iat": SECOND,
    "exp": SECOND + 300,
}


def token(key: Any = RSA, alg: str = "RS256", without: str = "", **changes: Any) -> str:
    claims = {name: value for name, value in (CLAIMS | changes).items() if name != without}
    return jwt.encode({"alg": alg, "kid": key.kid or "rsa"}, claims, key, algorithms=[alg])


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256")])
def test_a_good_token_is_believed(key: Any, alg: str) -> None:
    """By each of the issuer's keys."""
    assert checked(token(key, alg), KEYS, EXPECTED, NOW)["sub"] == "subject-1"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://login.elsewhere.example"},
        {"iss": EXPECTED.issuer + "/"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": ["mannequin", "another"]},
        {"aud": ["mannequin", "another"], "azp": "another"},
        {"aud": "mannequin", "azp": "another"},
        {"aud": []},
        {"nonce": "another"},
        {"nonce": ""},
        {"nonce": None},
        {"nonce": ["the-nonce"]},
        {"exp": SECOND - 61},
        {"exp": "tomorrow"},
        {"iat": SECOND + 3600},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ],
)
def test_a_wrong_claim_is_refused(changes: dict[str, Any]) -> None:
    """Issuer, audience, party, nonce, times and subject."""
    with pytest.raises(SsoFailed):
        checked(token(**changes), KEYS, EXPECTED, NOW)


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "exp", "iat", "nonce"])
def test_no_claim_may_be_missing(claim: str) -> None:
    """A token that does not say it is no better than one that says it wrongly."""
    with pytest.raises(SsoFailed):
        checked(token(without=claim), KEYS, EXPECTED, NOW)


def test_another_key_or_algorithm_is_refused() -> None:
    """A stranger's key under the same name, none at all, and a public key taken as a shared secret."""
    public = OctKey.import_key(RSA.as_pem(private=False).replace(b"-----", b""), {"kid": "rsa"})
    unsigned = f"{token().split('.')[0]}.{token().split('.')[1]}."
    none = "eyJhbGciOiJub25lIn0." + token().split(".")[1] + "."
    for forged in (token(STRANGER), token(public, "HS256"), unsigned, none, "", "x.y.z", "nonsense"):
        with pytest.raises(SsoFailed):
            checked(forged, KEYS, EXPECTED, NOW)


def test_claims_that_are_nested_without_end_are_refused() -> None:
    """Signed as they are: what a provider sends is no error of ours."""
    deep = jws.serialize_compact({"alg": "RS256", "kid": "rsa"}, b"[" * 30_000, RSA)
    with pytest.raises(SsoFailed):
        checked(deep, KEYS, EXPECTED, NOW)
    with pytest.raises(IssuerAway):
        answered(b"[" * 30_000)


def test_a_key_set_with_other_things_in_it_is_read_past_them() -> None:
    """Keys for encryption, of unknown kinds, and shared secrets don't count."""
    odd = [{"kty": "oct", "k": "c2VjcmV0", "kid": "x"}, {"kty": "new"}, "text", None]
    encrypting = {**RSA.as_dict(private=False), "use": "enc"}
    assert checked(token(), {"keys": [*odd, *KEYS["keys"]]}, EXPECTED, NOW)
    useless: list[dict[str, Any]] = [{"keys": odd}, {"keys": [encrypting]}, {"keys": []}, {}]
    for keys in useless:
        with pytest.raises(SsoFailed):
            checked(token(), keys, EXPECTED, NOW)


SAID: dict[str, Any] = {"sub": "s", "email": "Layla@Shop.example", "email_verified": True, "name": "Layla"}


def test_a_verified_address_of_the_domain_is_somebody() -> None:
    """With a name that is fit to be shown."""
    who = identity(SAID | {"name": " La\x00y\nla " + "x" * 300}, "iss", ("shop.example",))
    assert (who.email, who.subject, who.name[:5], len(who.name)) == ("layla@shop.example", "s", "Layla", 200)
    assert identity(SAID | {"name": None}, "iss", ("shop.example",)).name == "layla"


@pytest.mark.parametrize(
    "changes",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email_verified": None},
        {"email": "layla@notshop.example"},
        {"email": "layla@sub.shop.example"},
        {"email": "layla@shop.example@evil.example"},
        {"email": None},
        {"email": ["layla@shop.example"]},
    ],
)
def test_anybody_else_is_refused(changes: dict[str, Any]) -> None:
    """Not verified, of no allowed domain, or without an address."""
    with pytest.raises(SsoFailed):
        identity(SAID | changes, "iss", ("shop.example",))
