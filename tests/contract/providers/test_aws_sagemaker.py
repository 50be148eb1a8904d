"""What is particular to AWS."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path

import numpy as np
import pytest

from libs.common.contracts.providers import FaultCode, ProviderName
from services.inference.providers.provider import Account, CallFailed
from services.inference.providers.registry import open_connection
from services.inference.providers.surroundings import Surroundings
from tests.contract.providers.calls import OUTPUTS, call, tensors
from tests.contract.providers.moto_rows import INVOKE, SAGEMAKER, OnMoto, answer, at
from tests.contract.providers.subject import Place, connected
from tests.servers.moto import Moto
from tests.servers.rogue import Answer, Rogue

BINARY = "application/vnd.sagemaker-triton.binary+json;json-header-size="


def changed(place: Place, *, external_id: str = "", **settings: str) -> Place:
    secret = dict(place.account.secrets) | ({"external_id": external_id} if external_id else {})
    return Place(Account({**place.account.settings, **settings}, secret), place.around)


async def failure(place: Place) -> FaultCode:
    async with connected(SAGEMAKER, place) as connection:
        with pytest.raises(CallFailed) as failed:
            await call(connection, SAGEMAKER.ability)
    return failed.value.fault.code


async def assuming(server: Moto, external_id: str) -> Place:
    """A user who may take on a role and nothing else; the role may call endpoints."""
    name = f"user-{secrets.token_hex(4)}"
    key_id, secret = await server.user(name, ["sts:AssumeRole"])
    arn = await server.role(f"role-{name}", INVOKE, external_id)
    await server.will_answer(answer())
    place = await OnMoto(server).working()
    keys = {"access_key_id": key_id, "secret_access_key": secret, "external_id": external_id}
    settings = {**place.account.settings, "endpoint_name": name, "role_arn": arn}
    return Place(Account(settings, keys), place.around)


async def test_a_role_is_assumed_where_one_is_named(moto_server: Moto) -> None:
    """The key itself may not call the endpoint."""
    place = await assuming(moto_server, "an-external-id")
    async with connected(SAGEMAKER, place) as connection:
        await connection.probe()
        assert await call(connection, SAGEMAKER.ability)
    assert await failure(changed(place, role_arn="")) is FaultCode.NO_PERMISSION


async def test_a_role_wants_its_external_id(moto_server: Moto) -> None:
    """With another one the role is refused, in the probe already."""
    place = changed(await assuming(moto_server, "an-external-id"), external_id="another-external-id")
    async with connected(SAGEMAKER, place) as connection:
        with pytest.raises(CallFailed) as failed:
            await connection.probe()
    assert failed.value.fault.code is FaultCode.NO_PERMISSION


async def test_a_key_without_the_permission_is_told_so(moto_server: Moto) -> None:
    """Its probe passes, as every key may ask whose it is."""
    key_id, secret = await moto_server.user(f"user-{secrets.token_hex(4)}", ["s3:GetObject"])
    working = await OnMoto(moto_server).working()
    keys = {"access_key_id": key_id, "secret_access_key": secret}
    place = Place(Account(working.account.settings, keys), working.around)
    async with connected(SAGEMAKER, place) as connection:
        await connection.probe()
    assert await failure(place) is FaultCode.NO_PERMISSION


async def test_nothing_of_the_machine_is_used(
    moto_server: Moto, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """No profile, file, key or address of its environment, nor an address that a tenant slips in."""
    nowhere = "http://127.0.0.1:1"
    place = changed(await OnMoto(moto_server).working(), endpoint_url=nowhere, url=nowhere)
    (tmp_path / "config").write_text(f"[default]\nendpoint_url = {nowhere}\n[profile x]\nregion = mars-1\n")
    for name, value in {
        "AWS_PROFILE": "not-there",
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "config"),
        "AWS_ENDPOINT_URL": nowhere,
        "AWS_ACCESS_KEY_ID": "AKIAENVIRONMENT00000",
        "AWS_SECRET_ACCESS_KEY": "of the environment",
        "AWS_SESSION_TOKEN": "of the environment",
        "AWS_DEFAULT_REGION": "mars-1",
    }.items():
        monkeypatch.setenv(name, value)
    async with connected(SAGEMAKER, place) as connection:
        await connection.probe()
        assert await call(connection, SAGEMAKER.ability)


@pytest.mark.parametrize(
    "settings",
    [
        {"region": ""},
        {"region": "evil.example/"},
        {"region": "eu-central-1.evil.example"},
        {"region": "eu-central-1\n"},
        {"endpoint_name": ""},
        {"endpoint_name": "../other"},
        {"role_arn": "arn:aws:iam::1:role/x"},
        {"role_arn": "arn:aws:s3:::bucket"},
    ],
)
async def test_fields_that_are_not_written_like_one_are_malformed(settings: dict[str, str]) -> None:
    """The region becomes part of a host name."""
    fields = {"region": "eu-central-1", "endpoint_name": "garments", **settings}
    account = Account(fields, {"access_key_id": "AKIA0", "secret_access_key": "s"})
    with pytest.raises(CallFailed) as refused:
        await open_connection(ProviderName.AWS_SAGEMAKER, account, Surroundings())
    assert refused.value.fault.code is FaultCode.MALFORMED


async def test_raw_tensors_are_sent_where_triton_serves(rogue: Rogue) -> None:
    """In the media type that Triton's containers for SageMaker know."""
    maps = np.arange(6, dtype="<f4").reshape(1, 6)
    said = {"name": "maps", "datatype": "FP32", "shape": [1, 6], "parameters": {"binary_data_size": 24}}
    head = json.dumps({"outputs": [said]}).encode()
    rogue.answer = Answer(body=head + maps.tobytes(), headers={"Content-Type": f"{BINARY}{len(head)}"})
    place = changed(at(rogue), format="triton-binary")
    async with connected(SAGEMAKER, place) as connection:
        found = (await connection.segment(tensors(), OUTPUTS))["maps"]
    np.testing.assert_array_equal(found, maps)
    sent = rogue.seen[-1]
    assert sent.path == "/endpoints/garments/invocations"
    assert re.fullmatch(re.escape(BINARY) + r"\d+", sent.headers["Content-Type"])
    assert int(sent.headers["Content-Length"]) < 400_000


@pytest.mark.parametrize(
    ("original", "code"),
    [(503, FaultCode.UNAVAILABLE), (400, FaultCode.MALFORMED), (404, FaultCode.NOT_FOUND)],
)
async def test_an_error_of_the_container_is_sorted_by_its_own_status(
    rogue: Rogue, original: int, code: FaultCode
) -> None:
    """AWS wraps it into one of its own."""
    said = {"Message": "model says no", "OriginalStatusCode": original, "OriginalMessage": "no"}
    headers = {"x-amzn-ErrorType": "ModelError", "Content-Type": "application/json"}
    rogue.answer = Answer(424, json.dumps(said).encode(), headers)
    assert await failure(at(rogue)) is code
