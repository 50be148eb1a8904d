"""MLServer behind a key check, which it has none of: `python -m … FOLDER KEYFILE`.

The key file (JSON) is read anew for each call: what it says of a key is `""` where it is good, an HTTP status
that every call with it gets, or `hang`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
from mlserver import MLServer
from mlserver.cli.serve import load_settings
from mlserver.grpc.dataplane_pb2_grpc import add_GRPCInferenceServiceServicer_to_server
from mlserver.grpc.server import GRPCServer
from mlserver.grpc.servicers import InferenceServicer
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_UNAUTHORIZED = 401
_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    429: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}


class Keys:
    """The key file."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def status(self, headers: dict[str, str]) -> int | None:
        """None where the call may be made, else the HTTP status to answer with."""
        keys: dict[str, str] = json.loads(self._file.read_text())
        sent = headers.get("authorization", "").removeprefix("Bearer ") or headers.get("x-api-key", "")
        verdict = keys.get(sent, str(_UNAUTHORIZED))
        if verdict == "hang":
            await asyncio.Event().wait()
        return int(verdict) if verdict else None


class KeyedApp:
    """ASGI middleware: every path but the health of the server wants a key."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self._app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/v2/health/"):
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            status = await self._keys.status(headers)
            if status is not None:
                sent = headers.get("authorization", headers.get("x-api-key", ""))
                # An unkind server: it repeats the key in its answer, which must get no further.
                await JSONResponse({"error": f"no access with {sent}"}, status)(scope, receive, send)
                return
        await self._app(scope, receive, send)


class KeyInterceptor(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """The same for gRPC."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        headers = {name: value for name, value in details.invocation_metadata if isinstance(value, str)}
        status = await self._keys.status(headers)
        return await continuation(details) if status is None else _refusal(status, headers)


class KeyedGRPCServer(GRPCServer):  # type: ignore[misc]
    """MLServer's gRPC server with an interceptor of ours; the model repository is not served."""

    def __init__(self, server: MLServer, keys: Keys) -> None:
        super().__init__(server._settings, server._data_plane, server._model_repository_handlers)
        self._keys = keys

    def _create_server(self) -> grpc.aio.Server:
        self._server = grpc.aio.server(interceptors=[KeyInterceptor(self._keys)], options=self._get_options())
        servicer = InferenceServicer(self._data_plane, self._model_repository_handlers)
        add_GRPCInferenceServiceServicer_to_server(servicer, self._server)
        self._server.add_insecure_port(f"{self._settings.host}:{self._settings.grpc_port}")
        return self._server


def _refusal(status: int, headers: dict[str, str]) -> grpc.RpcMethodHandler:
    sent = headers.get("authorization", headers.get("x-api-key", ""))

    async def refuse(_: Any, context: grpc.aio.ServicerContext) -> None:
        await context.abort(_CODES.get(status, grpc.StatusCode.INTERNAL), f"no access with {sent}")

    return grpc.unary_unary_rpc_method_handler(refuse)


async def serve(folder: str, key_file: str) -> None:
    """Until a signal ends it."""
    keys = Keys(Path(key_file))
    settings, models = await load_settings(folder)
    server = MLServer(settings)
    server._rest_server._app.add_middleware(KeyedApp, keys=keys)
    server._grpc_server = KeyedGRPCServer(server, keys)
    await server.start(models)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], sys.argv[2]))
