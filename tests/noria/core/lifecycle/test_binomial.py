"""Tails of the binomial distribution, beside SciPy's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from noria.core.lifecycle.binomial import at_least


@given(st.integers(0, 400), st.integers(0, 400), st.floats(0.001, 0.999))
def test_it_is_scipys(count: int, of: int, probability: float) -> None:
    expected = float(binom.sf(count - 1, of, probability))
    assert at_least(count, of, probability) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_its_ends_are_certain() -> None:
    assert at_least(0, 10, 0.0) == 1.0
    assert at_least(1, 10, 0.0) == 0.0
    assert at_least(10, 10, 1.0) == 1.0
    assert at_least(11, 10, 0.5) == 0.0
    assert at_least(60_000, 100_000, 0.5) < 1e-300
