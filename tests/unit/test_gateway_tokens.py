"""Access tokens: what is believed, and everything that is not, with real keys."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import warnings
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import OKPKey

from libs.common.contracts.ids import SessionId, StaffId, TenantId
from libs.common.contracts.tokens import Claims, Realm, TokenKeys
from libs.common.errors import Unavailable
from services.gateway.auth.token_keys import APART_S, TokenKeyBook
from services.gateway.auth.tokens import LEEWAY_S, LONGEST_S, TokenCheck
from services.gateway.errors import TokenExpired, TokenInvalid
from services.keyvault.tokens.jwt import compact, signing_input
from tests.unit.token_mint import Mint, encoded, good_claims, part


@pytest.fixture
def mint() -> Mint:
    return Mint()


@pytest.fixture
def check(mint: Mint) -> TokenCheck:
    return TokenCheck(mint.book())


async def test_a_good_token_is_believed(mint: Mint, check: TokenCheck) -> None:
    """And says what it says, the second time as well, from memory."""
    token = mint.token(sid=SessionId.new())
    first, second = await check.check(token), await check.check(token)
    assert first == second
    assert (first.aud, first.scope) == (Realm.TENANT, "images:read usage:read")
    assert mint.asked == 1


async def test_what_the_vaults_service_writes_is_what_is_read_here(mint: Mint, check: TokenCheck) -> None:
    """The two have no code in common. Another library reads it too."""
    claims = Claims.model_validate(good_claims())
    signed = signing_input(mint.key.kid, claims)
    token = compact(signed, mint.private.sign(signed))
    assert await check.check(token) == claims
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of RFC 9864, which renames the algorithm
        seen = jws.deserialize_compact(token, OKPKey.import_key(mint.key.jwk()), ["EdDSA"])
    assert json.loads(seen.payload)["sub"] == claims.sub


def _none(mint: Mint) -> str:
    return f"{part({**mint.header, 'alg': 'none'})}.{part(good_claims())}."


def _none_with_a_signature(mint: Mint) -> str:
    return mint.token({**mint.header, "alg": "none"})


def _hs256_by_the_public_key(mint: Mint) -> str:
    signed = f"{part({**mint.header, 'alg': 'HS256'})}.{part(good_claims())}"
    return f"{signed}.{encoded(hmac.digest(mint.key.public_key, signed.encode(), hashlib.sha256))}"


def _hs512_by_the_public_key(mint: Mint) -> str:
    """Its signature has the length of ours."""
    signed = f"{part({**mint.header, 'alg': 'HS512'})}.{part(good_claims())}"
    return f"{signed}.{encoded(hmac.digest(mint.key.public_key, signed.encode(), hashlib.sha512))}"


def _hs512_that_says_eddsa(mint: Mint) -> str:
    signed = f"{part(mint.header)}.{part(good_claims())}"
    return f"{signed}.{encoded(hmac.digest(mint.key.public_key, signed.encode(), hashlib.sha512))}"


def _rs256(mint: Mint) -> str:
    key = rsa.generate_private_key(65537, 2048)
    signed = f"{part({**mint.header, 'alg': 'RS256'})}.{part(good_claims())}"
    return f"{signed}.{encoded(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _es256(mint: Mint) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    signed = f"{part({**mint.header, 'alg': 'ES256'})}.{part(good_claims())}"
    return f"{signed}.{encoded(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))}"


def _ed448(mint: Mint) -> str:
    signed = f"{part(mint.header)}.{part(good_claims())}"
    return f"{signed}.{encoded(Ed448PrivateKey.generate().sign(signed.encode()))}"


def _another_key_of_the_same_name(mint: Mint) -> str:
    return Mint(mint.version).token()


def _brings_its_key(mint: Mint) -> str:
    mine = Mint(mint.version)
    return mine.token({**mine.header, "jwk": mine.key.jwk()})


def _brings_its_key_as_pem(mint: Mint) -> str:
    mine = Mint(mint.version)
    spki = mine.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return mine.token({**mine.header, "x5c": [encoded(spki)]})


def _without_a_signature(mint: Mint) -> str:
    return mint.token().rpartition(".")[0] + "."


def _signature_of_zeros(mint: Mint) -> str:
    return mint.token().rpartition(".")[0] + "." + encoded(bytes(64))


def _other_claims_under_the_signature(mint: Mint) -> str:
    header, _, signature = mint.token().split(".")
    return f"{header}.{part({**good_claims(), 'tenant_id': TenantId.new()})}.{signature}"


def _other_spelling_of_the_signature(mint: Mint) -> str:
    """The last character of 64 bytes has four bits that say nothing."""
    token = mint.token()
    twin = token[:-1] + chr(ord(token[-1]) + 1)
    same = [urlsafe_b64decode(one.rpartition(".")[2] + "==") for one in (token, twin)]
    assert same[0] == same[1]
    return twin


ATTACKS = (
    _none,
    _none_with_a_signature,
    _hs256_by_the_public_key,
    _hs512_by_the_public_key,
    _hs512_that_says_eddsa,
    _rs256,
    _es256,
    _ed448,
    _another_key_of_the_same_name,
    _brings_its_key,
    _brings_its_key_as_pem,
    _without_a_signature,
    _signature_of_zeros,
    _other_claims_under_the_signature,
    _other_spelling_of_the_signature,
)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__.strip("_"))
async def test_a_forged_token_is_not_believed(mint: Mint, check: TokenCheck, attack: Any) -> None:
    """Whatever it says of how it wants to be verified; nor after a good one was seen."""
    await check.check(mint.token())
    for _ in range(2):
        with pytest.raises(TokenInvalid):
            await check.check(attack(mint))


HEADERS: tuple[dict[str, Any], ...] = (
    {"jku": "https://evil.example/jwks.json"},
    {"x5u": "https://evil.example/cert.pem"},
    {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"}},
    {"x5t": "AAAA"},
    {"crit": ["exp"]},
    {"b64": False, "crit": ["b64"]},
    {"cty": "JWT"},
    {"zip": "DEF"},
    {"typ": "JWT"},
    {"typ": "AT+JWT"},
    {"typ": "application/at+jwt"},
    {"alg": "eddsa"},
    {"alg": "Ed25519"},
    {"alg": ["EdDSA"]},
    {"kid": "tokens-v999"},
    {"kid": "../../tokens-v1"},
    {"kid": None},
    {"kid": ["tokens-v1"]},
    {"kid": ""},
)


@pytest.mark.parametrize("change", HEADERS, ids=str)
async def test_a_header_that_is_not_ours_is_refused_though_the_signature_is(
    mint: Mint, check: TokenCheck, change: dict[str, Any]
) -> None:
    """Nothing is looked up or fetched that a token names, but one of our own keys."""
    with pytest.raises(TokenInvalid):
        await check.check(mint.token({**mint.header, **change}))


@pytest.mark.parametrize("missing", ["alg", "typ", "kid"])
async def test_a_header_that_lacks_something_is_refused(mint: Mint, check: TokenCheck, missing: str) -> None:
    """Also `typ`, so that no other signed thing passes for a token."""
    header = {name: value for name, value in mint.header.items() if name != missing}
    with pytest.raises(TokenInvalid):
        await check.check(mint.token(header))


Change = Callable[[int], dict[str, Any]]
"""What is changed, at a moment in seconds: that of the test, which comes long after these lines are read."""
CLAIMS: tuple[Change, ...] = (
    lambda now: {"iss": "someone-else"},
    lambda now: {"iss": None},
    lambda now: {"aud": "mannequin:else"},
    lambda now: {"aud": ["mannequin:tenant"]},
    lambda now: {"aud": None},
    lambda now: {"aud": Realm.PLATFORM.value},
    lambda now: {"tenant_id": None},
    lambda now: {"tenant_id": "ten_x"},
    lambda now: {"tenant_id": ["ten_01hzy3k5v7m9q2w4x6z8b0c1d3"]},
    lambda now: {"sub": None},
    lambda now: {"sub": 7},
    lambda now: {"jti": None},
    lambda now: {"jti": "1"},
    lambda now: {"exp": None},
    lambda now: {"exp": str(now + 600)},
    lambda now: {"exp": now + 600.5},
    lambda now: {"exp": now - 1, "iat": now},
    lambda now: {"iat": None},
    lambda now: {"iat": now + LEEWAY_S + 60, "exp": now + 600},
    lambda now: {"exp": now + LONGEST_S + 60},
    lambda now: {"nbf": now},
    lambda now: {"scope": None},
    lambda now: {"scope": ["images:read"]},
    lambda now: {"admin": True},
    lambda now: {"acting_for": "I want to", "aud": Realm.PLATFORM.value, "tenant_id": None},
)


@pytest.mark.parametrize("change", CLAIMS)
async def test_claims_that_are_not_ours_are_refused_though_the_signature_is(
    mint: Mint, check: TokenCheck, change: Change
) -> None:
    """Issuer, audience, times and all the rest are exactly what the vault's service writes."""
    with pytest.raises(TokenInvalid):
        await check.check(mint.token(**change(int(time.time()))))


@pytest.mark.parametrize("text", ["", ".", "..", "...", "a.b.c", "a.b", "é.é.é", "\udc80.a.b", "x" * 5000])
async def test_what_is_no_token_is_refused(check: TokenCheck, text: str) -> None:
    """Of any length, in any letters."""
    with pytest.raises(TokenInvalid):
        await check.check(text)


async def test_a_header_that_is_nested_without_end_is_refused(check: TokenCheck) -> None:
    """Reading it goes deeper than the interpreter lets anybody go, and that is no error of ours."""
    header = encoded(b"[" * 2900)
    with pytest.raises(TokenInvalid):
        await check.check(f"{header}.e30.{encoded(bytes(64))}")


async def test_a_body_that_is_no_object_is_refused(mint: Mint, check: TokenCheck) -> None:
    """Signed as it is."""
    bodies: tuple[Any, ...] = ("claims", 7, [], None)
    for body in bodies:
        with pytest.raises(TokenInvalid):
            await check.check(mint.signed(mint.header, body))


async def test_a_token_ends_when_it_says_so(mint: Mint) -> None:
    """With a little leeway, for clocks that differ; also one that was believed before."""
    now = [time.time()]
    check = TokenCheck(mint.book(), clock=lambda: now[0])
    token = mint.token()
    claims = await check.check(token)
    now[0] = claims.exp + LEEWAY_S - 1
    await check.check(token)
    now[0] = claims.exp + LEEWAY_S
    for _ in range(2):
        with pytest.raises(TokenExpired):
            await check.check(token)


async def test_staff_have_a_realm_of_their_own(mint: Mint, check: TokenCheck) -> None:
    """Of no tenant; a token of the one can't be read as of the other."""
    token = mint.token(aud=Realm.PLATFORM.value, tenant_id=None, sub=StaffId.new())
    claims = await check.check(token)
    assert (claims.aud, claims.tenant_id) == (Realm.PLATFORM, None)
    with pytest.raises(TokenInvalid):
        await check.check(mint.token(aud=Realm.PLATFORM.value))


async def test_a_new_key_is_found_by_its_name_but_not_every_unknown_one_is_looked_for() -> None:
    """Anybody can name a key: the vault's service must not be asked for each."""
    old, now = Mint(1), [0.0]
    book = TokenKeyBook(old.keys, clock=lambda: now[0])
    await book.read()
    for number in range(50):
        assert await book.find(f"tokens-v{number + 7}") is None
    assert old.asked == 2
    old.version = 2
    assert await book.find("tokens-v2") is None
    now[0] += APART_S
    assert await book.find("tokens-v2") is not None
    assert old.asked == 3


async def test_many_who_need_the_keys_at_once_ask_once(mint: Mint) -> None:
    """After a start, when nothing is known yet."""
    check = TokenCheck(mint.book())
    await asyncio.gather(*(check.check(mint.token()) for _ in range(20)))
    assert mint.asked == 1


async def test_known_keys_stay_while_the_vaults_service_is_away(mint: Mint) -> None:
    """Whoever has a token does not notice; without any key that is no fault of the token."""
    away = False

    async def ask() -> TokenKeys:
        if away:
            raise Unavailable
        return await mint.keys()

    book = TokenKeyBook(ask)
    check = TokenCheck(book)
    await check.check(mint.token())
    away = True
    with pytest.raises(Unavailable):
        await book.read()
    await check.check(mint.token())
    with pytest.raises(Unavailable):
        await TokenCheck(TokenKeyBook(ask)).check(mint.token())
