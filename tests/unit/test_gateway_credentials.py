"""Keys at the gateway: what is refused, and that nothing of a secret is in any answer, log line or record."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from structlog.testing import capture_logs

from libs.common.contracts.credentials import CredentialTerms
from libs.common.contracts.ids import CredentialId
from libs.common.contracts.providers import Ability, ProviderModel, ProviderName
from libs.common.providers import card
from services.gateway import byok_views
from services.gateway.byok_views import CredentialProvider
from services.gateway.credential_bodies import ChangedTerms, NewCredential, NewSecret
from services.gateway.idempotency import fingerprint, request_fingerprint, stable_id
from tests.unit.gateway_app import api_document
from tests.unit.test_gateway_problems import client

PLANTED = "planted-secret-4711-do-not-show"
CREDENTIAL = "/api/v1/credentials/crd_01hzy3k5v7m9q2w4x6z8b0c1d7"


def new(**changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "provider": "open-inference",
        "label": "GPUs",
        "settings": {"url": "https://gpu.example"},
        "secret": {"bearer": PLANTED},
    }
    return body | changes


WRONG = [
    (new(secret={PLANTED: "x"}), "credential_field_invalid", None),
    (new(secret={"bearer": PLANTED + " with a space"}), "credential_field_invalid", "bearer"),
    (new(secret={"bearer": PLANTED * 500}), "credential_field_invalid", "bearer"),
    (new(secret={}), "credential_field_invalid", "bearer"),
    (new(settings={"url": PLANTED}), "credential_field_invalid", "url"),
    (new(settings={"bearer": PLANTED}), "credential_field_invalid", None),
    (new(settings={"url": f"https://user:{PLANTED}@gpu.example"}), "credential_field_invalid", "url"),
    (new(provider="onnx", settings={}, secret={}), "credential_field_invalid", None),
    (new(provider="nobody"), "invalid", "provider"),
    (new(secret=PLANTED), "invalid", "secret"),
    (new(secret={"bearer": [PLANTED]}), "invalid", "secret"),
    (new(secret={"bearer": PLANTED + "\x00"}), "invalid", "secret"),
    (new(secret={"bearer": PLANTED * 2000}), "invalid", "secret"),
    (new(secret={f"{PLANTED}{n}": "x" for n in range(17)}), "invalid", "secret"),
    (new(label=""), "invalid", "label"),
    (new(monthly_cap="a lot"), "invalid", "monthly_cap"),
    (new(monthly_cap=12.5), "invalid", "monthly_cap"),
    (new(expires_at="2026-01-01T00:00:00"), "invalid", "expires_at"),
]


@pytest.mark.parametrize(("body", "code", "field"), WRONG)
async def test_a_wrong_key_is_refused_without_a_word_of_it(
    body: dict[str, Any], code: str, field: str | None
) -> None:
    """Neither in the problem nor in a log line, wherever somebody put the secret."""
    with capture_logs() as lines:
        async with client() as http:
            response = await http.post("/api/v1/credentials", json=body)
    problem = response.json()
    assert (response.status_code, problem["code"], problem.get("field")) == (422, code, field)
    assert PLANTED not in response.text
    assert PLANTED not in str(lines)


@pytest.mark.parametrize("raw", [f'{{"secret": {{"bearer": "{PLANTED}"', f'["{PLANTED}"]', f'"{PLANTED}"'])
async def test_a_body_that_is_no_object_is_not_repeated_either(raw: str) -> None:
    """It may hold anything."""
    async with client() as http:
        response = await http.post(
            "/api/v1/credentials", content=raw, headers={"content-type": "application/json"}
        )
    assert response.status_code == 422
    assert PLANTED not in response.text


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/api/v1/credentials"), ("PUT", f"{CREDENTIAL}/secret")]
)
async def test_a_vault_that_is_away_says_so_and_keeps_nothing(method: str, path: str) -> None:
    """503 with a time to come again, and no trace of the secret in the logs."""
    body = new() if method == "POST" else {"secret": {"bearer": PLANTED}}
    with capture_logs() as lines:
        async with client() as http:
            response = await http.request(method, path, json=body)
    assert response.status_code == 503
    assert response.json()["code"] in ("vault_unavailable", "unavailable")
    assert int(response.headers["retry-after"]) > 0
    assert PLANTED not in response.text + str(lines)


async def test_storing_without_a_vault_is_called_so() -> None:
    """By a code of its own: rendering goes on meanwhile."""
    async with client() as http:
        problem = (await http.post("/api/v1/credentials", json=new())).json()
    assert problem["code"] == "vault_unavailable"


def test_bodies_show_no_secret_when_they_are_printed() -> None:
    """A line of a debugger or a log of a library is no place for one."""
    for body in (
        NewCredential.model_validate(new()),
        NewSecret.model_validate({"secret": {"bearer": PLANTED}}),
    ):
        assert PLANTED not in repr(body) + str(body) + body.model_dump_json()


def _request(body: bytes) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/credentials",
        "query_string": b"",
        "headers": [(b"host", b"api.test")],
        "scheme": "http",
        "server": ("api.test", 80),
    }
    return Request(scope, receive)


async def test_what_is_stored_of_a_secret_request_can_not_be_tried_against_guesses() -> None:
    """Whoever reads the table could otherwise hash every likely password; the key is stored nowhere."""
    body = json.dumps(new()).encode()
    guessed = fingerprint("POST", "/api/v1/credentials", "", body)
    keyed = [await request_fingerprint(_request(body), key) for key in (b"key one", b"key one", b"key two")]
    assert guessed == await request_fingerprint(_request(body))
    assert keyed[0] == keyed[1]
    assert len({guessed, *keyed}) == 3


def test_a_repeat_of_a_request_makes_the_same_thing() -> None:
    """And another request under the same key, or the same one under another, makes another."""
    ids = [stable_id(CredentialId, *given) for given in (("k", "p"), ("k", "p"), ("k", "q"), ("l", "p"))]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_terms_that_are_absent_stay_and_null_takes_away() -> None:
    """As RFC 7396 says."""
    before = CredentialTerms(label="old", priority=3, monthly_cap=Decimal(5), regions=("eu",))
    after = ChangedTerms.model_validate({"monthly_cap": None, "enabled": False}).over(before)
    assert after == before.model_copy(update={"monthly_cap": None, "enabled": False})
    assert ChangedTerms().over(before) == before


@pytest.mark.parametrize("change", [{"label": None}, {"label": ""}, {"priority": 1001}, {"secret": {}}])
async def test_terms_that_can_not_be_are_refused(change: dict[str, Any]) -> None:
    """A secret is not among them."""
    async with client() as http:
        response = await http.patch(CREDENTIAL, json=change)
    assert response.status_code == 422


async def test_providers_are_listed_with_forms_prices_and_limits() -> None:
    """Without anything behind the gateway: they are data."""
    async with client() as http:
        items = (await http.get("/api/v1/credential-providers")).json()["items"]
    by_name = {item["name"]: item for item in items}
    assert set(by_name) == set(ProviderName)
    assert by_name["onnx"]["form"] is None
    for name in set(ProviderName) - {"onnx"}:
        assert by_name[name]["form"]["properties"]["provider"] == {"const": name}
        assert by_name[name]["prices"][0]["source"]
        assert by_name[name]["limits"]["max_bytes"] > 0


def test_a_retired_model_is_called_so_from_its_last_day() -> None:
    """With the name of its successor."""
    model = ProviderModel(
        name="old", abilities=(Ability.GHOST,), retires_on=date(2026, 12, 1), successor="newer"
    )
    known = card(ProviderName.OPEN_INFERENCE).model_copy(update={"models": (model,)})
    shown = [CredentialProvider.of(known, day).models[0] for day in (date(2026, 11, 30), date(2026, 12, 1))]
    assert [one.retired for one in shown] == [False, True]
    assert shown[1].successor == "newer"


def test_no_answer_of_the_document_has_a_place_for_a_secret() -> None:
    """Where a secret goes in, the schema says that it never comes out."""
    schemas = api_document()["components"]["schemas"]
    for name in ("NewCredential", "NewSecret"):
        assert schemas[name]["properties"]["secret"]["writeOnly"] is True
    assert "secret" not in schemas["Credential"]["properties"]
    assert not set(byok_views.Credential.model_fields) & {"secret", "secrets", "ciphertext", "deleted"}


def test_days_of_charges_are_those_of_utc() -> None:
    """As the charges themselves."""
    assert byok_views.today() == datetime.now(UTC).date()


async def test_every_way_to_a_credential_asks_for_an_id_of_one() -> None:
    """Before anything else is asked."""
    async with client() as http:
        answers: list[httpx.Response] = [
            await http.request(method, f"/api/v1/credentials/key_x{rest}", json={"secret": {"bearer": "x"}})
            for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/verify"), ("PUT", "/secret"))
        ]
    assert {answer.json().get("field") for answer in answers} == {"credential_id"}
