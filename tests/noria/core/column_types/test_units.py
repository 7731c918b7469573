"""Units: what a data team writes in a column, in the unit that the contract names."""

import pandas as pd
import pytest

from noria.core.column_types.units import in_unit, unit_problem


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("5 mi", "km", 8.04672), ("1,200 m", "km", 1.2), ("7 KM", "km", 7), ("12", "km", 12),
        ("-3.5e2 cm", "m", -3.5), ("70 °F", "degC", 21.1111), ("20C", "degC", 20),
        ("300 K", "degC", 26.85), ("2 lbs", "kg", 0.907185), ("60 mph", "km/h", 96.5606),
        ("90 minutes", "h", 1.5), ("3 m^2", "cm^2", 30000), ("1.5 hPa", "Pa", 150),
        ("12 %", "percent", 12),
    ],
)  # fmt: skip
def test_other_units_are_converted(text: str, unit: str, number: float) -> None:
    measured = in_unit(pd.Series([text]), unit)
    assert measured.numbers[0] == pytest.approx(number, rel=1e-5)
    assert not measured.unreadable.any()


@pytest.mark.parametrize("text", ["3 kg", "fast", "5 bananas", "m", "1 2 m", "9^9^9 m", "1 m^99"])
def test_what_measures_something_else_is_unreadable(text: str) -> None:
    measured = in_unit(pd.Series([text, None]), "km")
    assert measured.unreadable.tolist() == [True, False]
    assert measured.numbers.isna().all()


def test_bare_numbers_are_in_the_source_unit() -> None:
    measured = in_unit(pd.Series([10, 20, None]), "km", "mi")
    assert measured.numbers[:2].tolist() == pytest.approx([16.09344, 32.18688])
    assert measured.converted == {"mi": 2}
    texts = in_unit(pd.Series(["10", "5 km"]), "km", "mi")
    assert texts.numbers.tolist() == pytest.approx([16.09344, 5])
    assert in_unit(pd.Series([1.0]), "km").converted == {}


def test_units_without_meaning_are_told() -> None:
    assert unit_problem("km") is None
    assert unit_problem("degC", "degF") is None
    assert "no unit that pint knows" in str(unit_problem("parsec2"))
    assert "measure different things" in str(unit_problem("km", "kg"))
    assert unit_problem("a" * 100) is not None
    assert unit_problem("m**999999999") is not None
