"""Options may come in the query, in the form, or some in each."""

import pytest
from fastapi.exceptions import RequestValidationError

from libs.common.contracts.options import ImageFormat, OptionFields
from services.gateway.uploads import merged_options


def test_options_are_judged_together() -> None:
    """A format in the query finds its background in the form."""
    merged = merged_options(OptionFields(format=ImageFormat.JPEG), {"background": "#ffffff"})
    assert (merged.format, merged.background) == ("jpeg", "#ffffff")


@pytest.mark.parametrize(("part", "place"), [({}, ("query",)), ({"quality": 80}, ("body", "options"))])
def test_options_that_do_not_fit_together_are_refused(part: dict[str, int], place: tuple[str, ...]) -> None:
    """JPEG without a background, with the place where it was asked for."""
    with pytest.raises(RequestValidationError) as refused:
        merged_options(OptionFields(format=ImageFormat.JPEG), part)
    assert refused.value.errors()[0]["loc"] == place
