"""Every call about models of your own as a value. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from libs.client.calls import BASE, Call, Form, get, post, quoted, reading
from libs.client.custom_models.models import CustomModel, CustomModels, Rollout


def upload(file: Path, name: str, card: Mapping[str, Any], key: str | None) -> Call[CustomModel]:
    form = Form(file, "application/octet-stream", "model", {**card, "name": name})
    return post("/custom-models", CustomModel, key=key, form=form)


def list_() -> Call[CustomModels]:
    return get("/custom-models", CustomModels)


def get_one(model_id: str) -> Call[CustomModel]:
    return get(f"/custom-models/{quoted(model_id)}", CustomModel)


def roll_out(sha256: str, share: float) -> Call[Rollout]:
    body = {"sha256": sha256, "share": share}
    return Call("PUT", f"{BASE}/custom-models/rollout", reading(Rollout), json=body)


def roll_back(key: str | None) -> Call[Rollout]:
    return post("/custom-models/rollback", Rollout, key=key)


def delete(model_id: str) -> Call[None]:
    return Call("DELETE", f"{BASE}/custom-models/{quoted(model_id)}", lambda _: None)
