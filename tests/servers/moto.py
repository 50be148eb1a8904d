"""moto (https://docs.getmoto.org) as a process of its own: IAM, STS and the runtime of SageMaker."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import aiohttp
from aiobotocore.session import AioSession

from deploy.local.ports import HOST
from deploy.local.processes import Program
from deploy.local.servers.server import SingleProcess, exchange
from deploy.local.state import State

REGION = "eu-central-1"
_NOBODY = {"aws_access_key_id": "AKIANOBODY0000000000", "aws_secret_access_key": "none"}


class Moto(SingleProcess):
    """AWS on a loopback port. Requests are checked as AWS does: the signature, then the user's policies."""

    def __init__(self, state: State, port: int) -> None:
        super().__init__(state, "moto")
        self._port = port

    @property
    def url(self) -> str:
        """In place of every address of AWS."""
        return f"http://{HOST}:{self._port}"

    def available(self) -> str | None:
        """See Server: it comes with the tests' own dependencies."""
        return None

    async def prepare(self) -> Program:
        argv = (sys.executable, "-m", "moto.server", "-H", HOST, "-p", str(self._port))
        return Program(argv=argv, cwd=self._state.data("moto"), env=dict(os.environ))

    async def ready(self) -> bool:
        request = b"GET /moto-api/ HTTP/1.0\r\nhost: localhost\r\n\r\n"
        return (await exchange(HOST, self._port, request, 12))[9:] == b"200"

    async def user(self, name: str, actions: Sequence[str]) -> tuple[str, str]:
        """A new user who may do these actions: its access key id and secret."""
        async with self._unlocked(), self._client("iam") as iam:
            await iam.create_user(UserName=name)
            await iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=_policy(actions))
            key = (await iam.create_access_key(UserName=name))["AccessKey"]
            return key["AccessKeyId"], key["SecretAccessKey"]

    async def forget(self, name: str, access_key_id: str) -> None:
        """Revoke a user's key."""
        async with self._unlocked(), self._client("iam") as iam:
            await iam.delete_access_key(UserName=name, AccessKeyId=access_key_id)

    async def role(self, name: str, actions: Sequence[str], external_id: str) -> str:
        """A new role that who knows the external id may take on; its ARN."""
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        async with self._unlocked(), self._client("iam") as iam:
            made = await iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
            await iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_policy(actions))
            arn: str = made["Role"]["Arn"]
            return arn

    async def will_answer(self, body: str, content_type: str = "application/json") -> None:
        """What the next invocation of an endpoint with a new request gets."""
        result = {"Body": body, "ContentType": content_type}
        queued = {"region": REGION, "results": [result]}
        await self._post("/moto-api/static/sagemaker/endpoint-results", json.dumps(queued))

    @asynccontextmanager
    async def _unlocked(self) -> AsyncIterator[None]:
        """While everyone may do everything."""
        await self._post("/moto-api/reset-auth", "inf")
        try:
            yield
        finally:
            await self._post("/moto-api/reset-auth", "0")

    async def _post(self, path: str, body: str) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url + path, data=BytesIO(body.encode())) as response,
        ):
            response.raise_for_status()

    def _client(self, service: str) -> Any:
        return AioSession().create_client(service, region_name=REGION, endpoint_url=self.url, **_NOBODY)


def _policy(actions: Sequence[str]) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
