"""MLServer (https://mlserver.readthedocs.io) with our exported model and a key check: stands for the server
of a tenant that brings its own GPUs. From the wheel mlserver.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

from deploy.local.ports import HOST
from deploy.local.processes import Program
from deploy.local.servers.server import SingleProcess, exchange
from deploy.local.state import State, write_private

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "services/inference/models/mannequin/model.int8.onnx"
MODEL_NAME = "mannequin"
_READY = b"HTTP/1.1 200 OK"
_HANG = "hang"


class MlServer(SingleProcess):
    """The Open Inference Protocol by HTTP and gRPC on two loopback ports, for who has one of its keys.

    A key is sent as `Authorization: Bearer …` or `X-API-Key: …`. Keys come and go while it runs.
    """

    start_limit_s = 60.0

    def __init__(
        self, state: State, http_port: int, grpc_port: int, *, model: Path = MODEL, name: str = "mlserver"
    ) -> None:
        super().__init__(state, name)
        self._ports = http_port, grpc_port
        self._model = model
        self._keys: dict[str, str] = {}

    @property
    def url(self) -> str:
        """Where HTTP clients reach it; keys are not in it."""
        return f"http://{HOST}:{self._ports[0]}"

    @property
    def grpc_url(self) -> str:
        """Where gRPC clients reach it."""
        return f"grpc://{HOST}:{self._ports[1]}"

    def accept(self, key: str) -> None:
        """From now on the key is good."""
        self._keys[key] = ""
        self._write_keys()

    def revoke(self, key: str) -> None:
        """From now on the key is not known."""
        self._keys.pop(key, None)
        self._write_keys()

    def answer(self, key: str, status: int) -> None:
        """From now on calls with the key end with this HTTP status, or what is like it in gRPC."""
        self._keys[key] = str(status)
        self._write_keys()

    def hang(self, key: str) -> None:
        """From now on calls with the key are never answered."""
        self._keys[key] = _HANG
        self._write_keys()

    def available(self) -> str | None:
        """See Server."""
        if importlib.util.find_spec("mlserver") is None:
            return "mlserver is missing; install the extra: pip install -e '.[local]'"
        return None

    async def prepare(self) -> Program:
        """Writes the settings anew, as they hold the ports."""
        folder = self._folder
        (folder / MODEL_NAME).mkdir(exist_ok=True)
        (folder / "settings.json").write_text(json.dumps(self._settings(folder)))
        (folder / MODEL_NAME / "model-settings.json").write_text(json.dumps(self._model_settings()))
        self._write_keys()
        argv = (sys.executable, "-m", "deploy.local.servers.mlserver_keyed", str(folder), str(self._key_file))
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        return Program(argv=argv, cwd=folder, env=env, grace_s=3.0)

    async def ready(self) -> bool:
        """Once the model is loaded, over HTTP; gRPC listens before that."""
        request = b"GET /v2/health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        return await exchange(HOST, self._ports[0], request, len(_READY)) == _READY

    @property
    def _folder(self) -> Path:
        return self._state.data(self.name)

    @property
    def _key_file(self) -> Path:
        return self._folder / "keys.json"

    def _write_keys(self) -> None:
        write_private(self._key_file, json.dumps(self._keys))

    def _settings(self, folder: Path) -> dict[str, object]:
        return {
            "host": HOST,
            "http_port": self._ports[0],
            "grpc_port": self._ports[1],
            "grpc_max_message_length": 64 * 1024 * 1024,
            "model_repository_root": str(folder),
            "parallel_workers": 0,
            "metrics_endpoint": None,
            "debug": False,
        }

    def _model_settings(self) -> dict[str, object]:
        return {
            "name": MODEL_NAME,
            "implementation": "deploy.local.servers.mlserver_runtime.OnnxRuntime",
            "inputs": [
                {"name": "image", "datatype": "UINT8", "shape": [-1, 384, 320, 3]},
                {"name": "hint", "datatype": "INT64", "shape": [-1]},
            ],
            "outputs": [{"name": "maps", "datatype": "FP32", "shape": [-1, 5, 192, 160]}],
            "parameters": {"uri": str(self._model), "version": "2.0.0"},
        }
