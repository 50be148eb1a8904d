"""Renders with the models that the settings name, and with new ones as they come."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from libs.common.contracts.options import RenderOptions
from services.inference.errors import ModelRefused
from services.inference.renderer import OnnxRendererFactory, follow_models
from services.inference.settings import InferenceSettings
from tests.unit.picture_samples import draw_photo, encoded
from tests.unit.test_models_registry import publish
from tests.unit.tiny_onnx import tiny_model

LIMIT_S = 20.0


def photo(seed: int = 0) -> bytes:
    return encoded(draw_photo(150, 200, seed), "PNG")


def factory(folder: Path, **settings: object) -> OnnxRendererFactory:
    values = {"provider": "cpu", "model": "tiny", "models": folder, "objects_url": "memory://"} | settings
    return OnnxRendererFactory.of(InferenceSettings.model_construct(**values))  # type: ignore[arg-type]


def test_a_render_says_which_model_made_it(tmp_path: Path) -> None:
    """Of the operator's folder before what comes with the service."""
    renderer = factory(publish(tmp_path, tiny_model(), version="3.1.0"))()
    assert renderer(photo(), RenderOptions()).model == "tiny@3.1.0"


def test_a_factory_goes_to_another_process(tmp_path: Path) -> None:
    """A suspicious picture is rendered there."""
    made = factory(publish(tmp_path, tiny_model()))
    assert pickle.loads(pickle.dumps(made)) == made


def test_a_photo_has_one_model_and_the_canary_its_share(tmp_path: Path) -> None:
    """The same one at every try; both models render."""
    publish(tmp_path, tiny_model())
    publish(tmp_path, tiny_model(), home="tiny@2.0.0", version="2.0.0")
    renderer = factory(tmp_path, canary="tiny@2.0.0", canary_share=0.5)()
    photos = [photo(seed) for seed in range(8)]
    first, again = ([renderer(data, RenderOptions()).model for data in photos] for _ in range(2))
    assert first == again
    assert set(first) == {"tiny@1.0.0", "tiny@2.0.0"}


@pytest.mark.parametrize("settings", [{"model": "absent"}, {"canary": "absent", "canary_share": 0.1}])
def test_a_model_that_is_missing_stops_the_start(tmp_path: Path, settings: dict[str, object]) -> None:
    """Not the first customer's picture."""
    with pytest.raises(ModelRefused, match="absent"):
        factory(publish(tmp_path, tiny_model()), **settings)()


async def until(holds: Callable[[], bool]) -> None:
    """Poll a condition, with a limit."""
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.001)


async def test_a_new_version_is_found_and_a_bad_one_passed_over(tmp_path: Path) -> None:
    """Looking goes on after a failure."""
    renderer = factory(publish(tmp_path, tiny_model()))()
    following = asyncio.create_task(follow_models(renderer.sessions, 0.001))
    try:
        with capture_logs() as logs:
            publish(tmp_path, b"no model", version="2.0.0")
            await until(lambda: "model_refused" in [entry["event"] for entry in logs])
        publish(tmp_path, tiny_model(), version="3.0.0")
        await until(lambda: renderer.sessions.open_models == ("tiny@3.0.0",))
    finally:
        following.cancel()
    assert renderer(photo(), RenderOptions()).model == "tiny@3.0.0"
