"""Numbers as people write them: read where there is one way to, asked for where there are two."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.core.cleansing.cleanse import Cleansing, cleanse
from noria.core.column_types.number_parsing import read_numerals
from noria.core.ingestion.readers import read_table
from tests.support.data_frames import adds_up, bundled, numbers, problem
from tests.support.examples import examples

WINE = bundled("wine")
PROLINE = WINE["proline"] + WINE["hue"].round(2)  # 278.68 to 1680.89: with thousands and without


def swapped(text: str) -> str:
    return text.translate(str.maketrans(",.", ".,"))


def cleansed(texts: list[Any], rule: dict[str, Any] | None = None, **quality: Any) -> Cleansing:
    """The wines with their proline as texts; the counts always add up."""
    frame = WINE.assign(proline=texts)
    columns = {} if rule is None else {"proline": rule}
    settings = {"minimum_rows": 10, "maximum_quarantined": 1, "columns": columns, **quality}
    found = cleanse(frame, problem("multiclass", quality=settings))
    assert adds_up(found, len(frame))
    return found


def told(found: Cleansing) -> str:
    """The reasons that name the column."""
    return "\n".join(reason for reason in found.verdict.reasons if "proline" in reason)


WAYS: dict[str, Callable[[float], str]] = {
    "1,065.34": lambda x: f"{x:,.2f}",
    "1.065,34": lambda x: swapped(f"{x:,.2f}"),
    "1065,34": lambda x: swapped(f"{x:.2f}"),
    "1 065,34": lambda x: f"{x:,.2f}".replace(",", "\u00a0").replace(".", ","),
    "1'065.34": lambda x: f"{x:,.2f}".replace(",", "'"),
    "$1,065.34": lambda x: f"${x:,.2f}",
    "1.065,34 €": lambda x: swapped(f"{x:,.2f} €"),
    "1065.34%": lambda x: f"{x:.2f}%",
}


@pytest.mark.parametrize("way", WAYS)
def test_one_way_of_writing_is_read_and_told(way: str) -> None:
    found = cleansed([WAYS[way](value) for value in PROLINE])
    assert found.verdict.decision == "usable"
    assert found.columns["proline"] == "number"
    assert found.accepted["proline"].tolist() == pytest.approx(PROLINE.tolist())
    assert f"'{WAYS[way](PROLINE[0]).replace(chr(160), ' ')}' is {PROLINE[0]:.15g}" in told(
        found
    ).replace('"', "'")


def whole(mark: str = ",") -> list[str]:
    return [f"{value:,.0f}".replace(",", mark) for value in WINE["proline"]]


def test_thousands_that_could_be_decimals_are_asked_for() -> None:
    found = cleansed(whole())
    assert found.columns["proline"] == "category"
    assert "proline: '1,035' could be 1035 or 1.035 (also '1,285', '1,065')" in told(found)
    assert "declare quality.columns.proline.decimal as '.' or ','" in told(found)
    points = cleansed(whole(), {"decimal": "."})
    assert points.accepted["proline"].tolist() == WINE["proline"].tolist()
    commas = cleansed(whole(), {"decimal": ","})
    assert commas.accepted["proline"].iloc[0] == 1.065
    assert commas.accepted["proline"].iloc[2] == 1.185


def test_a_declared_number_asks_too_and_sets_aside_what_it_cannot_read() -> None:
    found = cleansed(whole(), {"type": "float"})
    thousands = WINE["proline"] >= 1000
    assert found.verdict.evidence["rules"] == {"proline is not of type float": thousands.sum()}
    assert "declare quality.columns.proline.decimal" in told(found)
    assert found.accepted["proline"].tolist() == WINE["proline"][~thousands].tolist()


def test_a_declared_mark_refuses_the_other_one() -> None:
    texts = [swapped(f"{value:.2f}") for value in PROLINE]
    texts[:3] = ["1065.34", "1,2,3", "many"]
    found = cleansed(texts, {"decimal": ","})
    assert found.verdict.evidence["rules"] == {"proline is not a number": 3}
    assert found.accepted["proline"].tolist() == pytest.approx(PROLINE[3:].tolist())


def test_a_few_thousands_among_plain_numbers() -> None:
    """With decimals they tell the mark; without, they are missing and asked for."""
    plain = [f"{value:.1f}" for value in WINE["proline"]]
    some = ["1,065.0", "1,050", *plain[2:]]
    found = cleansed(some)
    assert found.accepted["proline"].tolist() == WINE["proline"].tolist()
    few = ["1,065", "1,050", *(f"{value:.0f}" for value in WINE["proline"][2:])]
    found = cleansed(few)
    assert found.columns["proline"] == "number"
    assert found.accepted["proline"].isna().sum() == 2
    assert "declare quality.columns.proline.decimal" in told(found)
    assert "2 values are no number ('1,065', '1,050'), counted as missing" in told(found)


@pytest.mark.parametrize(
    ("texts", "question"),
    [
        (["1.5", "2,5"], "'1.5' has a decimal point and '2,5' a comma"),
        (["$5", "7 €"], "amounts are in several currencies ($, €)"),
        (["US$ 5", "A$ 7"], "amounts are in several currencies (A$, US$)"),
        (["5 kr", "7 zł"], "amounts are in several currencies (kr, zł)"),
        (["EUR 5,20", "USD 7,10"], "amounts are in several currencies (EUR, USD)"),
        (["R$ 5", "€ 7"], "amounts are in several currencies (R$, €)"),
        (["5%", "0.07"], "some values are percentages and others, such as '0.07', are not"),
    ],
)
def test_what_contradicts_itself_is_asked_for(texts: list[str], question: str) -> None:
    found = cleansed(texts * 89)
    assert found.columns["proline"] == "category"
    assert f"proline: {question}, so these were not read as numbers: " in told(found)


@pytest.mark.parametrize(
    "texts",
    [
        ["732 829 320", "111 222 333"], ["02134", "10,001"], ["192.168.1.1", "10.0.0.1"],
        ["1.2.3", "4.5.6"], ["A1,5", "B2,5"], ["1-2", "3-4"], ["1,2,3", "4,5,6"], ["12:30", "9:15"],
        ["1,23,4", "5,67,8"], ["$", "€"], ["%", "5%%"], ["--5", "+-3"], ["\uff11,5", "\uff12,5"],
    ],
)  # fmt: skip
def test_codes_are_no_numbers(texts: list[str]) -> None:
    found = cleansed(texts * 89)
    assert found.columns["proline"] == "category"
    assert told(found) == ""
    assert set(found.accepted["proline"]) == set(texts)


def test_an_ambiguous_target_says_what_to_declare() -> None:
    frame = WINE.assign(proline=whole())
    contract = problem("regression", "proline")
    reasons = cleanse(frame, contract).verdict.reasons
    assert "target 'proline' is not numeric" in reasons[0]
    assert "declare quality.columns.proline.decimal" in reasons[1]
    quality = {"minimum_rows": 10, "columns": {"proline": {"decimal": "."}}}
    mended = cleanse(frame, problem("regression", "proline", quality=quality))
    assert mended.accepted["proline"].tolist() == WINE["proline"].tolist()


@pytest.mark.parametrize(
    ("texts", "rule", "expected"),
    [
        (["1,5 mi", "2,25 mi"], {}, [2.414016, 3.621024]),
        (["1.234,5 km", "2"], {}, [1234.5, 2]),
        (["1,234.5 km", "2"], {}, [1234.5, 2]),
        (["1.234 km", "2.345 km"], {}, [1.234, 2.345]),
        (["1.234 km", "2.345 km", "far"], {}, [1.234, 2.345, None]),
        (["1.234.567 m", "5 km"], {}, [1234.567, 5]),
        (["1,234 km", "2 km"], {"decimal": "."}, [1234, 2]),
        (["1,234 km", "2 km"], {"decimal": ","}, [1.234, 2]),
        (["1,234 km", "2 km", "3 km"], {}, [None, 2, 3]),
    ],
)
def test_measures_with_decimal_commas(
    texts: list[str], rule: dict[str, Any], expected: list[float | None]
) -> None:
    rows = len(WINE)
    found = cleansed((texts * rows)[:rows], {"unit": "km", **rule})
    wanted = [value for value in (expected * rows)[:rows] if value is not None]
    assert found.accepted["proline"].tolist() == pytest.approx(wanted)
    assert ("decimal" in told(found)) == (texts[0] == "1,234 km" and not rule)


def test_a_table_between_semicolons_is_read_as_it_is_written() -> None:
    lines = [f"{swapped(f'{x:.3f}')};{int(y)}" for x, y in numbers(200)[["x", "y"]].to_numpy()]
    frame = read_table("\n".join(["x;y", *lines]).encode(), "t.csv")
    found = cleanse(frame, problem())
    assert found.accepted["x"].tolist() == pytest.approx(numbers(200)["x"].round(3).tolist())
    assert any(reason.startswith("x: texts read as numbers: ") for reason in found.verdict.reasons)


def test_points_that_were_parsed_before_anybody_asked_are_told() -> None:
    """A file of nothing but 1.065 is decimals to its parser, whatever the contract says."""
    lines = [f"{text};{y}" for text, y in zip(whole("."), WINE["y"], strict=True) if "." in text]
    frame = read_table("\n".join(["x;y", *lines]).encode(), "t.csv")
    quality = {"minimum_rows": 10, "columns": {"x": {"decimal": ","}}}
    found = cleanse(frame, problem("multiclass", quality=quality))
    assert found.accepted["x"].iloc[0] == 1.065
    assert any("x: came as numbers with a decimal point" in r for r in found.verdict.reasons)


amounts = st.lists(
    st.integers(-(10**9), 10**9).map(lambda cents: cents / 100), min_size=1, max_size=30
)


@examples(10_000)
@given(amounts, st.sampled_from([".", ","]), st.booleans(), st.sampled_from(["", "$", "€"]))
def test_what_is_read_is_what_was_written(
    values: list[float], mark: str, grouped: bool, sign: str
) -> None:
    """However many are written, a number that is read is the one that was written."""
    english = [f"{value:,.2f}" if grouped else f"{value:.2f}" for value in values]
    texts = [sign + (text if mark == "." else swapped(text)) for text in dict.fromkeys(english)]
    found = read_numerals(texts, [1] * len(texts), 0.98)
    assert found is not None
    assert found.question is None
    assert found.numbers is not None
    assert found.decimal == mark
    wanted = [float(text.replace(",", "")) for text in dict.fromkeys(english)]
    np.testing.assert_array_equal(found.numbers, wanted)


@examples(10_000)
@given(
    st.lists(st.text("0123456789.,'$€% -+e", max_size=12) | st.text(max_size=5), max_size=8),
    st.sampled_from([None, ".", ","]),
)
def test_any_texts_are_numbers_or_none(texts: list[str], decimal: str | None) -> None:
    distinct = list(dict.fromkeys(texts))
    found = read_numerals(distinct, [1] * len(distinct), 0.5, decimal)
    if found is None:
        return
    assert (found.numbers is None) == (found.question is not None)
    if found.numbers is not None and decimal is None:
        again = read_numerals(distinct, [1] * len(distinct), 0.5, found.decimal)
        assert again is not None
        np.testing.assert_array_equal(again.numbers, found.numbers)


def money(value: float, decimal: str = ".", thousands: str = ",") -> str:
    swapped_marks = {ord(","): thousands, ord("."): decimal}
    return f"{abs(value):,.2f}".translate(swapped_marks)


#: One way of writing amounts per row: what comes before and behind them, and their marks.
AMOUNTS = [
    ("R$ ", "", ",", "."), ("US$", "", ".", ","), ("$ ", "", ".", ","), ("A$", "", ".", ","),
    ("", " €", ",", "."), ("EUR ", "", ".", ","), ("", " EUR", ",", " "), ("CHF ", "", ".", "'"),
    ("", " kr", ",", "\u00a0"), ("kr. ", "", ",", "."), ("", " zł", ",", "\u202f"),
    ("", " Kč", ",", "\u2009"), ("", " Ft", ",", " "), ("Rp", "", ",", "."), ("Rs.", "", ".", ","),
    ("₹", "", ".", ","), ("", " руб.", ",", "\u00a0"), ("", " ₽", ",", " "), ("S/ ", "", ".", ","),  # noqa: RUF001
    ("R ", "", ",", " "), ("RM", "", ".", ","), ("", " TL", ",", "."), ("", "₫", ",", "."),
    ("Fr. ", "", ".", "\u2019"), ("", " lei", ",", "."), ("£", "", ".", ","), ("¥", "", ".", ","),
    ("", "", ",", "\u202f"), ("", "", ".", "\u2019"), ("", " %", ",", "."), ("%", "", ",", "."),
]  # fmt: skip
NEGATIVES: dict[str, Callable[[str, str, str], str]] = {
    "sign before": lambda before, digits, behind: f"-{before}{digits}{behind}",
    "sign between": lambda before, digits, behind: f"{before}-{digits}{behind}",
    "sign behind": lambda before, digits, behind: f"{before}{digits}-{behind}",
    "typographic": lambda before, digits, behind: f"\u2212{before}{digits}{behind}",
    "brackets": lambda before, digits, behind: f"({before}{digits}{behind})",
    "brackets within": lambda before, digits, behind: f"{before}({digits}){behind}",
    "sign at the end": lambda before, digits, behind: f"{before}{digits}{behind}-",
}


@pytest.mark.parametrize("negative", NEGATIVES)
@pytest.mark.parametrize("amounts", AMOUNTS)
def test_amounts_as_people_write_them(amounts: tuple[str, ...], negative: str) -> None:
    before, behind, decimal, thousands = amounts
    values = [1234.5, -1234567.25, 12.0, -80.99, 0.5, -999.0, 1000.0]
    texts = [
        (before + money(value, decimal, thousands) + behind)
        if value > 0
        else NEGATIVES[negative](before, money(value, decimal, thousands), behind)
        for value in values
    ]
    found = read_numerals(texts, [1] * len(texts), 0.98)
    assert found is not None
    assert found.numbers is not None, found.question
    assert found.numbers.tolist() == values
    for text, value in zip(texts, values, strict=True):  # as a request writes one
        alone = read_numerals([text], [1], 1.0, found.decimal)
        assert alone is not None
        assert alone.numbers is not None
        assert alone.numbers.tolist() == [value]


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["12,- €", "1.250,50 €", "(3,-) €"], [12, 1250.5, -3]),
        (["CHF 12.-", "CHF 1'250.50", "CHF 7.\u2013"], [12, 1250.5, 7]),
        (["₹ 12,34,567.50", "₹ 1,05,000", "₹ 999"], [1234567.5, 105000, 999]),
        (["5 €", "EUR 7,25", "9 Euro"], [5, 7.25, 9]),  # three ways to write one currency
        (["$5.25", "US$ 1,000", "USD 3"], [5.25, 1000, 3]),
        (["1 234,5 %", "(12 %)", "3,5%-"], [1234.5, -12, -3.5]),
    ],
)
def test_ways_that_stand_together(texts: list[str], numbers: list[float]) -> None:
    found = read_numerals(texts, [1] * len(texts), 1.0)
    assert found is not None
    assert found.numbers is not None, found.question
    assert found.numbers.tolist() == pytest.approx(numbers)


@pytest.mark.parametrize(
    "texts",
    [
        ["RM12", "RM13"], ["R12", "R 13"], ["(1)", "(2)"], ["2-", "3-"], ["2+", "3-"],
        ["(5", "6)"], ["(-5)", "(6)-"], ["5 km", "6 km"], ["KM 5", "KM 6"], ["$5€", "$6€"],
        ["5% $", "6% $"], ["12 ABC", "13 ABC"], [")5(", ")6("], ["5-6-", "7-8-"], ["USD", "EUR"],
    ],
)  # fmt: skip
def test_labels_are_no_amounts(texts: list[str]) -> None:
    found = cleansed(texts * 89)
    assert found.columns["proline"] == "category"
    assert set(found.accepted["proline"]) == set(texts)
