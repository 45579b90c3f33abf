"""Sizes of tolerances and margins: the same forms, larger or smaller, and as a manifest writes them."""

from typing import Any

import pytest

from serinus.api import Regression

SIZES = [
    ({"absolute": 0.02}, 0.1, "{absolute: 0.002}"),
    ({"absolute": 0.3}, 5, "{absolute: 1.0}"),
    ({"absolute": 0.01, "relative": 0.1}, 2, "{absolute: 0.02, relative: 0.2}"),
    ({"duration": "50ms"}, 0.5, "{duration: 25ms}"),
    ({"duration": "50ms", "relative": 0.1}, 10, "{relative: 1.0, duration: 500ms}"),
    ({"totalVariation": 0.05}, 2, "{totalVariation: 0.1}"),
]


@pytest.mark.parametrize(("size", "factor", "written"), SIZES)
def test_a_regression_grows_in_all_of_its_forms_and_stays_one(
    size: dict[str, Any], factor: float, written: str
) -> None:
    grown = Regression.model_validate(size).times(factor)
    assert grown.written == written
    assert Regression.model_validate(grown.model_dump(mode="json", exclude_none=True)) == grown
