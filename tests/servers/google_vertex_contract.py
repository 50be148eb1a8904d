"""Google as its public documents describe it: the token endpoint, rawPredict and generateContent.

Shapes from the sources that `services/inference/providers/google_*.py` name. What is sent is checked to the
letter; a request that Google would not take is answered as Google would, and kept in `problems`.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import cache
from typing import Any, Literal

from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from deploy.local.ports import HOST
from tests.servers.rogue import Answer

PROJECT, LOCATION, ENDPOINT = "garments-417", "europe-west4", "7071"
TOKEN_URI = "https://oauth2.googleapis.com/token"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LONGEST_LIFE_S = 3600

Infer = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""What the container behind the endpoint answers to a request of the Open Inference Protocol."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Tensor(_Strict):
    name: str
    shape: list[int]
    datatype: str
    data: list[int] | list[float]


class Output(_Strict):
    name: str


class InferRequest(_Strict):
    inputs: list[Tensor] = Field(min_length=1)
    outputs: list[Output] = Field(min_length=1)


class Inline(_Strict):
    mimeType: Literal["image/png", "image/jpeg", "image/webp"]  # noqa: N815  # Google's name
    data: str


class Part(_Strict):
    inlineData: Inline | None = None  # noqa: N815
    text: str | None = None


class Content(_Strict):
    role: Literal["user"]
    parts: list[Part] = Field(min_length=2, max_length=3)


class ImageConfig(_Strict):
    aspectRatio: Literal["1:1", "3:2", "2:3", "3:4", "4:3", "9:16", "16:9"]  # noqa: N815


class GenerationConfig(_Strict):
    responseModalities: list[Literal["TEXT", "IMAGE"]]  # noqa: N815
    candidateCount: Literal[1]  # noqa: N815
    imageConfig: ImageConfig | None = None  # noqa: N815


class GenerateRequest(_Strict):
    contents: list[Content] = Field(min_length=1, max_length=1)
    generationConfig: GenerationConfig  # noqa: N815


class GoogleContract:
    """`answer`, `token_answer`: in place of its own; `picture`, `finish`, `block`: what Gemini says."""

    def __init__(self) -> None:
        self.port = 0
        self.answer: Answer | None = None
        self.token_answer: Answer | None = None
        self.picture: bytes | None = b"\x89PNG drawn"
        self.finish = "STOP"
        self.block: str | None = None
        self.infer: Infer = lambda _: {"outputs": []}
        self.problems: list[str] = []
        self.asked: list[GenerateRequest] = []
        self.exchanges = 0
        self._accounts: set[str] = set()
        self._tokens: dict[str, str] = {}

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def service_account(self, **changed: str) -> str:
        """The key file of a new service account."""
        email = f"mannequin-{secrets.token_hex(4)}@{PROJECT}.iam.gserviceaccount.com"
        self._accounts.add(email)
        facts = {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": secrets.token_hex(20),
            "private_key": _private_pem(),
            "client_email": email,
            "client_id": "112233445566778899000",
            "token_uri": TOKEN_URI,
            "universe_domain": "googleapis.com",
        }
        return json.dumps(facts | changed)

    def forget(self, service_account: str) -> None:
        """The account is deleted, and its tokens end."""
        email = json.loads(service_account)["client_email"]
        self._accounts.discard(email)
        self._tokens = {token: owner for token, owner in self._tokens.items() if owner != email}

    def end_tokens(self) -> None:
        """All tokens so far are no longer taken."""
        self._tokens.clear()

    async def token(self, request: web.Request) -> web.Response:
        self.exchanges += 1
        form = await request.post()
        if self.token_answer is not None:
            return _said(self.token_answer)
        if set(form) != {"grant_type", "assertion"} or form["grant_type"] != _GRANT:
            return self._problem("the form of the token request")
        try:
            claims = jwt.decode(str(form["assertion"]), certs=_public_pem(), audience=TOKEN_URI)  # type: ignore[no-untyped-call]
        except ValueError:
            return _oauth("invalid_grant", "Invalid JWT Signature.")
        if set(claims) != {"iss", "scope", "aud", "iat", "exp"} or claims["scope"] != _SCOPE:
            return self._problem("the claims of the assertion")
        if claims["exp"] - claims["iat"] > _LONGEST_LIFE_S:
            return self._problem("the life of the assertion")
        if claims["iss"] not in self._accounts:
            return _oauth("invalid_grant", "Invalid grant: account not found")
        token = f"ya29.{secrets.token_urlsafe(48)}"
        self._tokens[token] = claims["iss"]
        return web.json_response({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    async def raw_predict(self, request: web.Request) -> web.Response:
        refused = await self._refused(request)
        if refused is not None:
            return refused
        if request.match_info["endpoint"] != ENDPOINT or request.match_info["location"] != LOCATION:
            return error(404, "NOT_FOUND", "Endpoint not found.")
        try:
            asked = InferRequest.model_validate_json(await request.read())
        except ValidationError as exc:
            return self._problem(str(exc))
        return web.json_response(self.infer(asked.model_dump()))

    async def generate(self, request: web.Request) -> web.Response:
        refused = await self._refused(request)
        if refused is not None:
            return refused
        try:
            asked = GenerateRequest.model_validate_json(await request.read())
            *given, said = asked.contents[0].parts
            pictures = [part.inlineData for part in given]
            for picture in pictures:
                base64.b64decode(picture.data if picture else "", validate=True)
        except ValueError as exc:
            return self._problem(str(exc))
        if None in pictures or not said.text:
            return self._problem("one picture or two, and then a text are asked for")
        self.asked.append(asked)
        return web.json_response(self._drawn(request.match_info["model"]))

    async def _refused(self, request: web.Request) -> web.Response | None:
        body = await request.read()
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if self.answer is not None:
            return _said(self.answer)
        if kind != "Bearer" or token not in self._tokens:
            return error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        if request.content_type != "application/json" or not body:
            return self._problem(f"the media type {request.content_type}")
        if request.match_info["project"] != PROJECT:
            return error(403, "PERMISSION_DENIED", "Permission denied on resource project.")
        return None

    def _drawn(self, model: str) -> dict[str, Any]:
        if self.block:
            return {"promptFeedback": {"blockReason": self.block}, "modelVersion": model}
        parts: list[dict[str, Any]] = [{"text": "Here is the garment."}]
        if self.picture is not None:
            data = base64.b64encode(self.picture).decode()
            thought = {"thought": True, "inlineData": {"mimeType": "image/png", "data": "AAAA"}}
            parts += [thought, {"inlineData": {"mimeType": "image/png", "data": data}}]
        candidate = {"content": {"role": "model", "parts": parts}, "finishReason": self.finish}
        return {"candidates": [candidate], "modelVersion": f"{model}-001", "usageMetadata": {}}

    def _problem(self, what: str) -> web.Response:
        self.problems.append(what)
        return error(400, "INVALID_ARGUMENT", "Request contains an invalid argument.")


def error(status: int, name: str, message: str, reason: str | None = None) -> web.Response:
    """As Google's APIs say it (https://cloud.google.com/apis/design/errors)."""
    said: dict[str, Any] = {"code": status, "message": message, "status": name}
    if reason:
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
        said["details"] = [info | {"domain": "googleapis.com"}]
    return web.json_response({"error": said}, status=status)


def refusal(status: int, name: str, message: str = "", reason: str | None = None) -> Answer:
    """The same, to be put in place of an answer."""
    response = error(status, name, message, reason)
    assert isinstance(response.body, bytes)
    return Answer(status, response.body, {"Content-Type": "application/json"})


@asynccontextmanager
async def google_contract() -> AsyncIterator[GoogleContract]:
    """It while it runs, on a free loopback port."""
    google = GoogleContract()
    app = web.Application(client_max_size=64 * 1024 * 1024)
    place = "/v1/projects/{project}/locations/{location}"
    app.router.add_post("/token", google.token)
    app.router.add_post(place + "/endpoints/{endpoint}:rawPredict", google.raw_predict)
    app.router.add_post(place + "/publishers/google/models/{model}:generateContent", google.generate)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    google.port = runner.addresses[0][1]
    try:
        yield google
    finally:
        await runner.cleanup()


def _said(answer: Answer) -> web.Response:
    return web.Response(status=answer.status, body=answer.body, headers=dict(answer.headers))


def _oauth(name: str, description: str) -> web.Response:
    return web.json_response({"error": name, "error_description": description}, status=400)


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def _private_pem() -> str:
    kind, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return _key().private_bytes(kind, form, serialization.NoEncryption()).decode()


def _public_pem() -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _key().public_key().public_bytes(serialization.Encoding.PEM, form)
