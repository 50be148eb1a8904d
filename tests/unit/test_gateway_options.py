"""Options may come in the query, in the form, or some in each; what does not fit is named."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError

from libs.common.contracts.batch import INSIDE_PATTERN, BatchOptions
from libs.common.contracts.options import ImageFormat, Preset, RenderOptions, Rendition
from libs.common.errors import Invalid
from services.gateway.options import JSON_OPTIONS, BatchQuery, RenderQuery, merged_options
from services.gateway.problems import field_error


def merged(query: RenderQuery, part: dict[str, Any] | None = None) -> RenderOptions:
    return merged_options(query, part or {}, RenderOptions)


def test_options_come_from_the_query_and_the_form() -> None:
    """Together, with defaults for the rest."""
    assert merged(RenderQuery(size=100), {"crop": True}) == RenderOptions(size=100, crop=True)


def test_options_are_judged_together() -> None:
    """A format in the query finds its background in the form."""
    options = merged(RenderQuery(format=ImageFormat.JPEG), {"background": "#ffffff"})
    assert (options.format, options.background) == ("jpeg", "#ffffff")


def test_a_preset_fills_in_what_is_not_asked_for_in_either_place() -> None:
    """And nothing else: what is asked for stands."""
    options = merged(RenderQuery(preset=Preset.AMAZON), {"quality": 70})
    assert (options.quality, options.background) == (70, "#ffffff")


def test_what_has_parts_is_json_in_the_query() -> None:
    """As it would be in a form."""
    renditions = '[{"name": "thumb", "size": 400}, {"name": "shop", "preset": "shopify"}]'
    options = merged(RenderQuery(renditions=renditions, own_preset='{"formats": ["png"]}'))
    thumb, shop = options.renditions
    assert (thumb.name, thumb.size) == ("thumb", 400)
    assert shop == Rendition.model_validate({"name": "shop", "preset": "shopify"})
    assert options.own_preset is not None
    assert options.own_preset.formats == (ImageFormat.PNG,)


def test_every_option_of_a_render_has_a_way_through_the_query() -> None:
    """One that is added later is found missing here."""
    assert set(RenderQuery.model_fields) == set(RenderOptions.model_fields)
    assert set(BatchQuery.model_fields) == set(BatchOptions.model_fields)
    assert {"renditions", "own_preset"} <= JSON_OPTIONS


def test_a_batch_has_the_words_for_inside_shots_too() -> None:
    """From either place."""
    for query, part in (
        (BatchQuery(inside_pattern="innen"), {}),
        (BatchQuery(), {"inside_pattern": "innen"}),
    ):
        assert merged_options(query, part, BatchOptions).inside_pattern == "innen"
    assert merged_options(BatchQuery(), {}, BatchOptions).inside_pattern == INSIDE_PATTERN


@pytest.mark.parametrize(
    ("query", "part"),
    [
        (RenderQuery(size=100), {"size": 200}),
        (RenderQuery(renditions="[]"), {"renditions": []}),
        (RenderQuery(renditions="[{"), {}),
        (RenderQuery(renditions="[" * 4_000), {}),
        (RenderQuery(template="no"), {}),
    ],
)
def test_what_is_given_twice_or_is_no_json_is_invalid(query: RenderQuery, part: dict[str, Any]) -> None:
    """With the option's name."""
    with pytest.raises(Invalid) as refused:
        merged(query, part)
    assert refused.value.field in query.model_fields_set


@pytest.mark.parametrize(
    ("query", "part", "place", "field"),
    [
        (RenderQuery(), {"colour": "red"}, "body", "colour"),
        (RenderQuery(), {"quality": 0}, "body", "quality"),
        (RenderQuery(), {"format": "jpeg"}, "body", "format"),
        (RenderQuery(format=ImageFormat.JPEG), {}, "query", "format"),
        (RenderQuery(), {"renditions": [{"name": "a", "size": 1}]}, "body", "renditions.0.size"),
        (RenderQuery(renditions='[{"name": "a", "format": "jpeg"}]'), {}, "query", "renditions.0.format"),
        (RenderQuery(renditions='[{"name": "A!"}]'), {}, "query", "renditions.0.name"),
        (RenderQuery(renditions='[{"name": "a"}, {"name": "a"}]'), {}, "query", "renditions"),
        (RenderQuery(renditions='{"name": "a"}'), {}, "query", "renditions"),
        (RenderQuery(renditions="[1]"), {"crop": True}, "query", "renditions.0"),
        (RenderQuery(preset=Preset.AMAZON), {"own_preset": {}}, "query", "preset"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(
    query: RenderQuery, part: dict[str, Any], place: str, field: str
) -> None:
    """Also inside of a rendition, and where it is several options that do not fit together."""
    with pytest.raises(RequestValidationError) as refused:
        merged(query, part)
    error = refused.value.errors()[0]
    assert error["loc"][0] == place
    shown = field_error({**error, "loc": error["loc"]})
    assert (shown.field or "").removeprefix("options.") == field
