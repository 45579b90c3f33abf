"""The special functions, beside scipy's."""

import numpy as np
import pytest
from scipy import special

from serinus.judge.special import chi_square_quantile, normal, probit, relative_entropy

SHARES = np.concatenate([np.geomspace(1e-300, 0.5, 200), 1 - np.geomspace(1e-15, 0.5, 200)])


def test_the_normal_distribution_and_its_quantile() -> None:
    z = np.linspace(-30, 9, 400)
    np.testing.assert_allclose(normal(z), special.ndtr(z), rtol=1e-10)
    np.testing.assert_allclose(probit(SHARES), special.ndtri(SHARES), rtol=1e-14, atol=1e-15)


def test_the_quantile_at_the_ends_is_infinite_and_shapes_are_kept() -> None:
    assert probit(np.array([[0.0], [1.0]])).tolist() == [[-np.inf], [np.inf]]
    assert normal(np.array(0.0)).shape == ()


@pytest.mark.parametrize("degrees", [1.0, 1.5, 7.0, 34.3, 514.3, 20_000.0])
@pytest.mark.parametrize("upper", [0.5, 0.9, 0.99])
def test_the_quantile_of_chi_square(degrees: float, upper: float) -> None:
    assert chi_square_quantile(degrees, upper) == pytest.approx(special.chdtri(degrees, upper), rel=1e-11)


def test_relative_entropy_is_nothing_where_there_is_no_mass() -> None:
    one, other = np.linspace(0, 1, 51)[:, None], np.linspace(0, 1, 51)[None, 1:-1]
    np.testing.assert_allclose(relative_entropy(one, other), special.rel_entr(one, other), atol=1e-15)
    assert relative_entropy(0.0, np.array([0.0, 1.0])).tolist() == [0.0, 0.0]
    assert relative_entropy(1.0, np.array([0.0])).tolist() == [np.inf]
