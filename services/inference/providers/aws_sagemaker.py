"""A tenant's SageMaker endpoint that serves our exported model, on the tenant's AWS account.

InvokeEndpoint (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html)
with a body of the Open Inference Protocol. Only what the tenant gave is used: no profile, file, environment
variable or instance metadata of the machine. The tenant's key needs `sagemaker:InvokeEndpoint` on the
endpoint, and `sts:AssumeRole` where a role is named.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from libs.common.contracts.providers import FaultCode, ProviderName
from services.inference.providers import aws_session, tensor_wire
from services.inference.providers.aws_keys import Keys, RoleKeys
from services.inference.providers.faults import failed, of_aws, of_status
from services.inference.providers.open_inference_target import TENSOR_FAULTS
from services.inference.providers.provider import Account, CallFailed, Connection, Drawing, Tensors
from services.inference.providers.surroundings import Surroundings

Answer = TypeVar("Answer")
_BINARY = "application/vnd.sagemaker-triton.binary+json;json-header-size="
_BINARY_SIZE = re.compile(re.escape(_BINARY) + r"(\d{1,9})")
_JSON = "application/json"
_PIECE = 64 * 1024
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d{1,2}")
_ENDPOINT = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]{1,512}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Target:
    """Which endpoint, and how tensors are written for it."""

    region: str
    endpoint: str
    binary: bool
    role: str = ""
    external_id: str = field(default="", repr=False)


class AwsSagemaker:
    """See Provider."""

    name = ProviderName.AWS_SAGEMAKER

    def __init__(self, around: Surroundings) -> None:
        self._url = around.endpoints.get(self.name)

    async def connect(self, account: Account) -> Connection:
        """Nothing is sent yet."""
        logging.getLogger("botocore").setLevel(logging.WARNING)  # below that it writes down session tokens
        return SagemakerConnection(target_of(account), keys_of(account), self._url)


class SagemakerConnection(Connection):
    """See Connection. url: the API in place of AWS's own, of which the tenant has no say."""

    def __init__(self, target: Target, keys: Keys, url: str | None) -> None:
        self._target = target
        self._url = url
        self._stack = AsyncExitStack()
        self._session = aws_session.session()
        self._clients: dict[tuple[str, Keys], Any] = {}
        self._opening = asyncio.Lock()
        self._keys = RoleKeys(keys, self._assumed if target.role else None)

    async def probe(self) -> None:
        """STS GetCallerIdentity, which is free and which every key may call; a role is assumed before.

        Whether the endpoint is there shows at the first image: asking for it would take a permission more.
        """
        client = await self._client("sts", await self._keys.current())
        await _sorted(lambda: client.get_caller_identity())

    async def segment(self, inputs: Tensors, outputs: Sequence[str]) -> Tensors:
        client = await self._client("sagemaker-runtime", await self._keys.current())
        body, kind = await self._encoded(inputs, outputs)
        endpoint, stream = self._target.endpoint, BytesIO(body)
        invoke = {"EndpointName": endpoint, "ContentType": kind, "Accept": kind, "Body": stream}
        limit = tensor_wire.answer_limit(inputs)
        answer, kind = await _sorted(lambda: _invoked(client, invoke, limit))
        found = _BINARY_SIZE.fullmatch(kind.replace(" ", ""))
        if found:
            return tensor_wire.decode(answer, int(found[1]), outputs)
        return await asyncio.to_thread(tensor_wire.decode, answer, None, outputs)

    async def ghost(self, photo: bytes, media_type: str) -> Drawing:
        raise failed(FaultCode.NOT_FOUND)

    async def on_model(
        self, photo: bytes, media_type: str, prompt: str, person: bytes | None = None
    ) -> Drawing:
        raise failed(FaultCode.NOT_FOUND)

    async def close(self) -> None:
        self._clients.clear()
        await self._stack.aclose()

    async def _encoded(self, inputs: Tensors, outputs: Sequence[str]) -> tuple[bytes, str]:
        if not self._target.binary:
            return await asyncio.to_thread(tensor_wire.encode_json, inputs, outputs), _JSON
        body, size = tensor_wire.encode_binary(inputs, outputs)
        return body, f"{_BINARY}{size}"

    async def _client(self, service: str, keys: Keys) -> Any:
        """One for each service and set of keys; those of a role's past sessions stay until the end."""
        async with self._opening:
            if (service, keys) not in self._clients:
                made = self._session.create_client(
                    service,
                    region_name=self._target.region,
                    endpoint_url=self._url,
                    aws_access_key_id=keys.access_key_id,
                    aws_secret_access_key=keys.secret_access_key,
                    aws_session_token=keys.session_token,
                    config=aws_session.config(),
                )
                self._clients[service, keys] = await self._stack.enter_async_context(made)
            return self._clients[service, keys]

    async def _assumed(self, keys: Keys) -> dict[str, Any]:
        client = await self._client("sts", keys)
        asked = {"RoleArn": self._target.role, "RoleSessionName": "mannequin"}
        if self._target.external_id:
            asked["ExternalId"] = self._target.external_id
        answer = await _sorted(lambda: client.assume_role(**asked))
        credentials: dict[str, Any] = answer["Credentials"]
        return credentials


def target_of(account: Account) -> Target:
    """What the account's fields say. Raises CallFailed (malformed)."""
    settings = account.settings
    region, endpoint = settings.get("region", ""), settings.get("endpoint_name", "")
    role, external_id = settings.get("role_arn", ""), account.secrets.get("external_id", "")
    checks = ((_REGION, region), (_ENDPOINT, endpoint), (_ROLE, role), (_EXTERNAL_ID, external_id))
    for pattern, value in checks:
        if not pattern.fullmatch(value) and (value or pattern in (_REGION, _ENDPOINT)):
            raise CallFailed(
                FaultCode.MALFORMED, "The region, endpoint, role or external id is not written like one."
            )
    return Target(region, endpoint, settings.get("format") == "triton-binary", role, external_id)


def keys_of(account: Account) -> Keys:
    """The tenant's own keys. Raises CallFailed (malformed): without, botocore would look for others."""
    secrets = account.secrets
    key_id, secret = secrets.get("access_key_id"), secrets.get("secret_access_key")
    if not key_id or not secret:
        raise CallFailed(FaultCode.MALFORMED, "The credential lacks the access key or its secret.")
    return Keys(key_id, secret, secrets.get("session_token") or None)


async def _invoked(client: Any, invoke: dict[str, Any], limit: int) -> tuple[bytes, str]:
    """The body of the answer and its media type."""
    answer = await client.invoke_endpoint(**invoke)
    pieces = bytearray()
    async with answer["Body"] as stream:
        while piece := await stream.read(_PIECE):
            pieces += piece
            if len(pieces) > limit:
                raise failed(
                    FaultCode.BAD_ANSWER, sentence=f"the provider's answer is larger than {limit} bytes"
                )
    return bytes(pieces), str(answer.get("ContentType", ""))


async def _sorted(call: Callable[[], Awaitable[Answer]]) -> Answer:
    try:
        return await call()
    except ClientError as error:
        fault = _refusal(error)
    except (ConnectTimeoutError, ReadTimeoutError):
        fault = failed(FaultCode.TIMEOUT)
    except ParamValidationError:
        fault = failed(FaultCode.MALFORMED)
    except ResponseParserError:
        fault = failed(FaultCode.BAD_ANSWER)
    except BotoCoreError as error:
        fault = failed(FaultCode.UNAVAILABLE, type(error).__name__)
    raise fault


def _refusal(error: ClientError) -> CallFailed:
    said = error.response.get("Error", {})
    name, status = (
        str(said.get("Code", "")),
        error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500),
    )
    if name == "ModelError":  # the container's answer, which AWS passes on
        status = int(error.response.get("OriginalStatusCode", 500))
        code = of_status(status)
    else:
        code = of_aws(name, status, str(said.get("Message", "")))
    origin = name if name.isalnum() and len(name) <= 64 else "AWS"
    return failed(TENSOR_FAULTS.get(code, code), f"{origin}, HTTP {status}")
