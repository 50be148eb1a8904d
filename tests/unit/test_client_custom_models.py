"""Models of one's own by the SDK: both clients make the same calls."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

from libs.client.custom_models import calls
from libs.client.custom_models.aio import AsyncCustomModelCalls
from libs.client.custom_models.models import Rollout
from libs.client.custom_models.sync import CustomModelCalls

SHA256 = "ab" * 32


def test_an_upload_is_a_form_with_the_card() -> None:
    """The name goes into it, whatever the card says."""
    call = calls.upload(Path("knit.onnx"), "knitwear", {"name": "other", "input": {}, "output": {}}, "once")
    assert (call.method, call.path) == ("POST", "/api/v1/custom-models")
    assert call.form is not None
    assert call.form.json == {"name": "knitwear", "input": {}, "output": {}}
    assert call.headers["idempotency-key"] == "once"


def test_a_version_is_rolled_out_and_back() -> None:
    """By its SHA-256 and a share."""
    call = calls.roll_out(SHA256, 0.1)
    assert (call.method, call.path) == ("PUT", "/api/v1/custom-models/rollout")
    assert call.json == {"sha256": SHA256, "share": 0.1}
    answer = call.read(b'{"live": null, "canary": "x", "canary_share": 0.1, "previous": null, "more": 1}')
    assert answer == Rollout(canary="x", canary_share=0.1)
    assert calls.roll_back(None).path == "/api/v1/custom-models/rollback"


@pytest.mark.parametrize("name", ["upload", "list", "get", "roll_out", "roll_back", "delete"])
def test_both_clients_have_the_same_calls(name: str) -> None:
    """With the same arguments."""
    ordinary, other = (getattr(cls, name) for cls in (CustomModelCalls, AsyncCustomModelCalls))
    assert inspect.signature(ordinary) == inspect.signature(other)
    assert inspect.iscoroutinefunction(other)
