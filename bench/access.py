"""What it costs to find out who calls, and what row-level security costs.

`token_first`: an access token that is met for the first time, its signature verified. `token`: one that was
met before; revocations are looked at, of which there are many. `token_of_key`: the same with the API key that
it was issued to. `key_held`: an API key in memory. `key_read_<tenants>x<keys>`: one that is not, by one
indexed read of a table of that size. `rls_…`: the same query by the same login on the same rows, with
row-level security and without, in turns. On PostgreSQL as it is shipped.
"""

from __future__ import annotations

import datetime
import random
import shutil
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import SecretStr

from bench.photos import FOLDER
from deploy.local.state import State
from deploy.local.supervisor import Supervisor
from libs.common.api_keys import ParsedKey, generate
from libs.common.contracts.access import DEFAULT_KEY_PERMISSIONS, ActorKind
from libs.common.contracts.ids import ApiKeyId, SessionId, TenantId, TokenId, UserId
from libs.common.contracts.tenants import KeyMode
from libs.common.contracts.tokens import Claims, Realm, TokenKeys
from libs.common.db import Database
from services.gateway.auth.access import Access
from services.gateway.auth.caller import Caller
from services.gateway.auth.keyring import KeyRing, KnownKey, StoredKeys
from services.gateway.auth.standing import Revocation, Revoked, Standing
from services.gateway.auth.token_keys import TokenKeyBook
from services.gateway.auth.tokens import TokenCheck
from services.gateway.rate_limit import TokenBuckets
from services.keyvault.tokens.jwt import compact, signing_input
from services.keyvault.tokens.rules import TokenKey

SIZES = ((10, 10), (1_000, 1_000))
READS, TOKENS, REVOCATIONS = 3_000, 2_000, 10_000
ROUNDS, QUERIES = 20, 200
SHA256 = "0" * 64
_LOAD = """
insert into gateway.api_keys (tenant_id, id, public_id, sha256, mode, scopes, revision)
select 'ten_' || lpad(tenant::text, 26, '0'), 'key_' || lpad(tenant || lpad(number::text, 6, '0'), 26, '0'),
    lpad(tenant::text, 6, '0') || lpad(number::text, 6, '0'), $3, 'live', $4, 0
from generate_series(0, $1::int - 1) tenant, generate_series(0, $2::int - 1) number
"""
_RLS = "alter table gateway.api_keys {} row level security"
_QUERIES = {
    "point": "select sha256 from api_keys where tenant_id = $1 and id = $2",
    "page_of_50": "select id, scopes from api_keys where tenant_id = $1 and id >= $2 order by id limit 50",
    "count_of_1000": "select count(*) from api_keys where tenant_id = $1 and id > $2",
}
Admin = Any
"""`asyncpg.Connection` of the superuser."""


async def run() -> dict[str, float]:
    root = FOLDER / "state"
    shutil.rmtree(root, ignore_errors=True)
    async with AsyncExitStack() as stack:
        state = State(root)
        system = await stack.enter_async_context(Supervisor(state, services=()))
        roles = ("gateway", "gateway_platform")
        urls = [system.postgres.url_for(role, state.secrets.password(role)) for role in roles]
        database = Database(*map(SecretStr, urls), schema="gateway")
        stack.push_async_callback(database.close)
        await database.start()
        admin = await asyncpg.connect(system.postgres.url)
        stack.push_async_callback(admin.close)
        figures = await credentials(database)
        for tenants, keys in SIZES:
            await _load(admin, tenants, keys)
            figures |= await reads(database, tenants, keys)
        return figures | await row_level_security(database, admin, *SIZES[-1])


async def credentials(database: Database) -> dict[str, float]:
    """Keys and tokens as a busy replica has them in memory."""
    private, standing = Ed25519PrivateKey.generate(), _standing()
    ring = KeyRing(StoredKeys(database))
    access = Access(ring, TokenCheck(_book(private)), standing, TokenBuckets(1e6, 1_000_000))
    key, tenant = generate(KeyMode.LIVE), TenantId.new()
    of_key = Caller(tenant, ApiKeyId.new(), ActorKind.API_KEY, DEFAULT_KEY_PERMISSIONS)
    ring.put(KnownKey(key.public_id, key.sha256, of_key))
    users = [_token(private, UserId.new(), tenant) for _ in range(TOKENS)]
    keys = [_token(private, of_key.subject, tenant) for _ in range(TOKENS)]
    first = await _timed(lambda token: access.find(token, None), users)
    again = await _timed(lambda token: access.find(token, None), users)
    await _timed(lambda token: access.find(token, None), keys)
    with_key = await _timed(lambda token: access.find(token, None), keys)
    held = await _timed(lambda text: access.find(text, None), [key.secret.get_secret_value()] * TOKENS)
    named = {"token_first": first, "token": again, "token_of_key": with_key, "key_held": held}
    return {name: value for one, waits in named.items() for name, value in _quantiles(one, waits).items()}


async def reads(database: Database, tenants: int, keys: int) -> dict[str, float]:
    """Keys at random that the ring does not hold."""
    chosen = random.Random(4711)
    ring, asked = KeyRing(StoredKeys(database), most=1), []
    for _ in range(READS):
        number = f"{chosen.randrange(tenants):06}{chosen.randrange(keys):06}"
        asked.append(ParsedKey(KeyMode.LIVE, number, SHA256))
    found = [await ring.find(one) for one in asked[:100]]
    assert all(found)
    return _quantiles(f"key_read_{tenants}x{keys}", await _timed(ring.find, asked))


async def row_level_security(database: Database, admin: Admin, tenants: int, keys: int) -> dict[str, float]:
    """Each query in turns of both kinds, so that what else the machine does meets both."""
    figures: dict[str, float] = {}
    for name, query in _QUERIES.items():
        waits: dict[str, list[float]] = {"with": [], "without": []}
        for turn in range(2 * ROUNDS):
            kind, switch = (("with", "enable"), ("without", "disable"))[turn % 2]
            await admin.execute(_RLS.format(switch))
            waits[kind] += await _asked(database, query, tenants)
        await admin.execute(_RLS.format("enable"))
        medians = {kind: statistics.median(of_kind) * 1e6 for kind, of_kind in waits.items()}
        figures |= {f"rls_{name}_{kind}_us_p50": median for kind, median in medians.items()}
        figures[f"rls_{name}_overhead_us"] = medians["with"] - medians["without"]
    return figures


async def _asked(database: Database, query: str, tenants: int) -> list[float]:
    """Seconds of each of many queries in one transaction of a tenant; the first ones warm up."""
    number = random.Random(tenants).randrange(tenants)
    tenant = TenantId(f"ten_{number:026}")
    key_id = "key_" + f"{number}{0:06}".rjust(26, "0")
    async with database.tenant(tenant) as tx:
        waits = await _timed(lambda _: tx.fetch(query, tenant, key_id), range(QUERIES + 20))
    return waits[20:]


async def _load(admin: Admin, tenants: int, keys: int) -> None:
    await admin.execute("truncate gateway.api_keys")
    await admin.execute(_LOAD, tenants, keys, SHA256, sorted(DEFAULT_KEY_PERMISSIONS), timeout=300)
    await admin.execute("vacuum analyze gateway.api_keys", timeout=120)


def _standing() -> Standing:
    standing, now = Standing(), time.time()
    standing.learn_revocations(
        Revocation(Revoked.SESSION, SessionId.new(), now, now + 900) for _ in range(REVOCATIONS)
    )
    return standing


def _book(private: Ed25519PrivateKey) -> TokenKeyBook:
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    jwk = TokenKey(1, raw, datetime.datetime.now(datetime.UTC)).jwk()

    async def keys() -> TokenKeys:
        return TokenKeys(keys=(jwk,))

    return TokenKeyBook(keys)


def _token(private: Ed25519PrivateKey, subject: str, tenant: TenantId) -> str:
    now = int(time.time())
    claims = Claims(
        aud=Realm.TENANT,
        sub=subject,
        tenant_id=tenant,
        scope=" ".join(sorted(DEFAULT_KEY_PERMISSIONS)),
        sid=SessionId.new(),
        jti=TokenId.new(),
        iat=now,
        exp=now + 900,
    )
    signed = signing_input("tokens-v1", claims)
    return compact(signed, private.sign(signed))


async def _timed(work: Callable[[Any], Awaitable[object]], each: Iterable[Any]) -> list[float]:
    waits = []
    for one in each:
        began = time.perf_counter()
        await work(one)
        waits.append(time.perf_counter() - began)
    return waits


def _quantiles(name: str, waits: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(waits, n=100)
    return {f"{name}_us_p50": cuts[49] * 1e6, f"{name}_us_p99": cuts[98] * 1e6}
