"""The closed grammar: what it takes, what it refuses, and what it answers."""

import ast
import builtins
import os
import re
import string
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from noria.common.expression_evaluation import FUNCTIONS
from noria.common.expression_text import column_of
from noria.common.expressions import MAXIMUM_LENGTH, parse, parse_field
from noria.errors import ExpressionError


def value_of(text: str, **columns: Any) -> Any:
    return parse(text).evaluate(columns)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("arr_delay > 15", {"arr_delay"}),
        ("hour >= 17 and not (origin in ['JFK', 'LGA'])", {"hour", "origin"}),
        ("time_hour + minutes(minute)", {"time_hour", "minute"}),
        ("0 < a <= b + 1", {"a", "b"}),
        ("-a % 2 == +1 or b", {"a", "b"}),
        ("true", set()),
        ("a == false", {"a"}),
        ("hours > 3", {"hours"}),
        ("größe > 1", {"größe"}),
    ],
)
def test_parse_lists_the_columns(text: str, columns: set[str]) -> None:
    assert parse(text).columns == columns


HOSTILE = [
    "__import__('os').system('true')", "os.environ", "a.__class__", "().__class__.__mro__",
    "a[0]", "a[:]", "a()", "print(a)", "eval('1')", "getattr(a, 'b')", "lambda: 1",
    "[x for x in a]", "{x for x in a}", "(x for x in a)", "{1: 2}", "{a}", "[a]", "(a, b)", "*a",
    "a if b else c", "(a := 1)", "f'{a}'", "a ** b", "a // b", "a @ b", "a << 1", "a >> 1",
    "a | b", "a & b", "a ^ b", "~a", "a is b", "a is not b", "a in b", "a in (1, 2)", "a in 'xyz'",
    "a in [b]", "a in [None]", "a in [...]", "a in [b'x']", "a in [1j]", "a in [[1]]", "a in []",
    "a in [1] == b", "1 < a in [2]", "a in [__import__('os')]", "a in [-'x']",
    "a == None", "None", "...", "1j", "b'x'", "await a", "yield a", "minutes()", "minutes(1, 2)",
    "minutes(value=1)", "minutes(*a)", "minutes(**a)", "true()", "days.real", "seconds(1)",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_outside_the_grammar_is_refused_by_name(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert text in str(caught.value)


@pytest.mark.parametrize(
    "text", ["", "  ", "a >", "(a", "a b", "a; b", "a = 1", "import os", "\x00", "a\nb", "1a",
             "class > 1", "'open"]
)  # fmt: skip
def test_what_is_not_well_formed_gets_an_example(text: str) -> None:
    with pytest.raises(ExpressionError, match="well formed; write for example 'arr_delay > 15'"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a" * (MAXIMUM_LENGTH + 1), f"at most {MAXIMUM_LENGTH}"),
        ("-" * 400 + "a", "nested deeper"),
        ("not " * 100 + "a", "nested deeper"),
        ("+".join("a" * 100), "nested deeper"),
    ],
)
def test_size_is_bounded(text: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem):
        parse(text)


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", {}, 5),
        ("7 % 4", {}, 3),
        ("-a + +b", {"a": 1, "b": 5}, 4),
        ("(1 + 2) * 3", {}, 9),
        ("a > 15", {"a": 16}, True),
        ("0 < a < 10", {"a": 10}, False),
        ("0 < a <= 10 != b", {"a": 10, "b": 3}, True),
        ("a == 'x' or b == true", {"a": "y", "b": True}, True),
        ("not a", {"a": False}, True),
        ("not a", {"a": 1}, False),
        ("not a", {"a": 0.0}, True),
        ("a and b", {"a": 1, "b": 2}, True),
        ("a or b", {"a": 0, "b": 0.0}, False),
        ("a in ['x', 'y']", {"a": "x"}, True),
        ("a not in [1, -2, 3.5]", {"a": -2}, False),
        ("a in [true]", {"a": True}, True),
        ("a + b", {"a": "x", "b": "y"}, "xy"),
        ("t + hours(2) - minutes(30)", {"t": datetime(2013, 1, 1)}, datetime(2013, 1, 1, 1, 30)),  # noqa: DTZ001
        ("days(n) > hours(30)", {"n": 1.5}, True),
        ("days(2)", {}, timedelta(days=2)),
    ],
)
def test_scalars(text: str, columns: dict[str, Any], expected: Any) -> None:
    result = value_of(text, **columns)
    assert result == expected
    assert type(result) is type(expected) or isinstance(expected, int | float)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n > 1", [False, True, True]),
        ("1 <= n < 3", [True, True, False]),
        ("not n > 1", [True, False, False]),
        ("n", [1, 2, 3]),
        ("n in [1, 3]", [True, False, True]),
        ("n not in [1, 3]", [False, True, False]),
        ("s in ['a', 'c'] and n > 1", [False, False, True]),
        ("bit and n == 2", [False, True, False]),
        ("not bit", [True, False, True]),
        ("bit or n > 2", [False, True, True]),
        ("(n + 1) * 2 % 3", [1, 0, 2]),
    ],
)
@pytest.mark.parametrize("make", [np.array, pd.Series], ids=["numpy", "pandas"])
def test_columns(text: str, expected: list[Any], make: Any) -> None:
    columns = {"n": make([1, 2, 3]), "s": make(["a", "b", "c"]), "bit": make([0, 1, 0])}
    assert value_of(text, **columns).tolist() == expected


@pytest.mark.parametrize("make", [np.array, pd.Series], ids=["numpy", "pandas"])
def test_times_and_durations_of_columns(make: Any) -> None:
    start = np.array(["2013-01-01T05:00", "2013-01-01T06:00"], dtype="datetime64[s]")
    columns = {"t": make(start), "m": make([15, 45])}
    late = value_of("t + hours(1) + minutes(m)", **columns)
    expected = ["2013-01-01T06:15", "2013-01-01T07:45"]
    assert np.asarray(late, dtype="datetime64[m]").astype(str).tolist() == expected


def test_durations_of_missing_numbers_are_missing() -> None:
    times = pd.Series(pd.to_datetime(["2013-01-01", "2013-01-02"], utc=True))
    for numbers in (pd.Series([1.5, np.nan]), pd.Series([1.5, None], dtype="Float64")):
        result = value_of("t + hours(n)", t=times, n=numbers)
        assert result[0] == pd.Timestamp("2013-01-01T01:30Z")
        assert pd.isna(result[1])


NULLABLE = pd.Series([1, 2, None], dtype="Int64")
TRUTHS = pd.Series([True, None, False], dtype="boolean")
TEXTS = pd.Series(["x", None, "y"], dtype="string")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("n > 1", [False, True, None]),
        ("not n > 1", [True, False, None]),
        ("not b", [False, None, True]),
        ("b or n > 1", [True, True, None]),
        ("b and n > 1", [False, None, False]),
        ("s == 'x'", [True, None, False]),
        ("n >= 1 and s == 'x'", [True, None, False]),
        ("s == 'x' and n >= 1", [True, None, False]),
        ("n", [1, 2, None]),
        ("not n", [False, False, None]),
        ("0 < n < 2", [True, False, None]),
        ("o or n > 1", [True, True, None]),
        ("not o", [False, None, True]),
    ],
)
def test_nullable_columns_keep_missing_values(text: str, expected: list[Any]) -> None:
    objects = pd.Series([True, None, False], dtype="object")
    result = value_of(text, n=NULLABLE, b=TRUTHS, s=TEXTS, o=objects)
    assert [None if pd.isna(value) else value for value in result] == expected


def test_a_missing_float_compares_false() -> None:
    numbers = pd.Series([1.0, np.nan, 0.0])
    assert value_of("n > 0", n=numbers).tolist() == [True, False, False]
    assert value_of("n and true", n=numbers).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("a > 1", {"a": "x"}),
        ("a > 1", {"a": None}),
        ("a > 1", {"a": pd.Series(["x"])}),
        ("a > 'x'", {"a": pd.Series([1])}),
        ("a > 'x'", {"a": np.array([1])}),
        ("a / 0", {"a": 1}),
        ("a % 0", {"a": 1}),
        ("-a", {"a": "x"}),
        ("not a", {"a": "x"}),
        ("not a", {"a": None}),
        ("a and true", {"a": pd.Series(["x", "y"])}),
        ("a or b", {"a": np.array(["x"]), "b": np.array([True])}),
        ("days(a)", {"a": "x"}),
        ("days(a)", {"a": 1e300}),
        ("days(a)", {"a": float("nan")}),
        ("days(a)", {"a": pd.Series(["x"])}),
        ("hours(hours(1))", {}),
        ("a + 1", {"a": TEXTS}),
    ],
)
def test_what_does_not_fit_is_an_expression_error(text: str, columns: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text).evaluate(columns)
    assert f"'{text}'" in str(caught.value)
    assert "cannot be evaluated" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("'a' * 999999999999", {}),
        ("999999999999 * 'a'", {}),
        ("'%999999999999d' % 1", {}),
        ("'%s' % a", {"a": 1}),
        ("a * 999999999999", {"a": "x"}),
        ("a * 999999999999", {"a": pd.Series(["x"])}),
        ("a * 999999999999", {"a": pd.Series([None, "x"], dtype="object")}),
        ("a * 999999999999", {"a": pd.Series([[1]])}),
        ("a % 1", {"a": np.array(["%999999999999d"], dtype="object")}),
        ("a * 999999999999", {"a": np.array(["x"])}),
    ],
)
def test_text_is_neither_repeated_nor_formatted(text: str, columns: dict[str, Any]) -> None:
    with pytest.raises(ExpressionError, match="cannot be multiplied"):
        parse(text).evaluate(columns)


def test_an_unknown_column_is_named_with_the_known_ones() -> None:
    with pytest.raises(ExpressionError) as caught:
        value_of("arr_dely > 15", arr_delay=1, hour=2)
    message = str(caught.value)
    assert "'arr_dely'" in message
    assert "arr_delay, hour" in message


def test_column_of_tells_a_name_from_an_expression() -> None:
    assert column_of(" hour ") == "hour"
    assert column_of(' "Order ""Date""" ') == 'Order "Date"'
    assert column_of("hour + 1") is None
    assert column_of("hour()") is None
    assert column_of('"a" + "b"') is None


HEADERS = [
    "Order Date", "2nd item", "class", "true", "and", "a.b", "a,b", "Price (EUR)", "Größe [cm]",
    "№ п/п", "😀", 'the "best"', "Driver's name", " padded ", "two\nlines", "a-b", "a/b", "100%",
    "C:\\x", "Item #", "µm", "ﬁeld", "cafe\u0301", "x²", "days", "__class__", "_0_", "SELECT", "",
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_a_name_in_double_quotes_is_that_column(header: str) -> None:
    name = '"' + header.replace('"', '""') + '"'
    expression = parse(f"{name} > 1 and not ({name} in [5]) or other == 'it \"is\"'")
    assert expression.columns == {header, "other"}
    assert expression.evaluate({header: 3, "other": "x"}) is True
    assert parse(name).evaluate({header: 7}) == 7


def test_a_plain_word_names_the_column_that_is_spelt_so() -> None:
    """Python's own parser would read µ (U+00B5) as μ (U+03BC), and ﬁ as fi."""
    for name in ("µm", "ﬁeld", "cafe\u0301", "größe"):
        assert parse(f"{name} > 1").columns == {name}


def test_what_is_in_double_quotes_among_a_lists_values_is_a_text() -> None:
    assert value_of("a in [\"x\", 'y']", a="x") is True


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("Order Date > 5", '"Order Date" > 5'),
        ("2nd item >= 0", '"2nd item" >= 0'),
        ("class == 'standard'", "\"class\" == 'standard'"),
        ("a.b > 1 and Late?", '"a.b" > 1 and "Late?"'),
        ("Price (EUR) < 10", '"Price (EUR)" < 10'),
        ("Item # > 0", '"Item #" > 0'),
        ("Net weight - Gross weight > 2", '"Net weight" - "Gross weight" > 2'),
        ("Order Status = 'open'", "\"Order Status\" == 'open'"),
        ("os.environ", '"os.environ"'),
    ],
)
def test_a_refusal_shows_the_quoted_form_of_what_was_meant(text: str, meant: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert f"goes in double quotes: did you mean '{meant}'?" in str(caught.value)
    parse(meant)


@pytest.mark.parametrize("text", ["", "a >", "(a", "'open"])
def test_a_refusal_that_no_quotes_mend_tells_how_to_quote(text: str) -> None:
    with pytest.raises(ExpressionError, match='in double quotes, as in "Order Date" > 15'):
        parse(text)


@pytest.mark.parametrize(
    "header", ["Order Date", "2nd item", "class", "Churn?", "Price (EUR)", "Größe [cm]", "Item #",
               "Driver's name", "№ п/п", "😀 mood", "What is your age"]
)  # fmt: skip
def test_a_field_that_can_only_be_a_header_is_that_column(header: str) -> None:
    assert parse_field(f" {header} ").columns == {header}
    assert column_of(parse_field(header).text) == header


@pytest.mark.parametrize("text", ["", "a >", "a = 1", "f(x)", "os.x", "'open", "x == ", "not"])
def test_a_field_with_a_mistake_is_no_header(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_field(text)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_two_names_are_told_apart(one: str, other: str) -> None:
    names = ['"' + name.replace('"', '""') + '"' for name in (one, other)]
    found = parse(f"{names[0]} == {names[1]}").evaluate({one: 1, other: 2})
    assert found is (one == other)


numbers = st.integers(-50, 50)
leaves = st.one_of(numbers.map(lambda n: f"({n})"), st.sampled_from(["a", "b"]))
arithmetic = st.recursive(
    leaves,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
    max_leaves=6,
)  # fmt: skip
comparisons = st.builds(
    "({} {} {} {} {})".format, arithmetic, st.sampled_from(["<", "<=", "=="]), arithmetic,
    st.sampled_from([">", "!=", ">="]), arithmetic,
)  # fmt: skip
truths = st.recursive(
    comparisons,
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["and", "or"]), inner),
        inner.map("(not {})".format),
    ),
    max_leaves=4,
).filter(lambda text: len(text) <= MAXIMUM_LENGTH)


@given(truths, st.lists(st.tuples(numbers, numbers), min_size=1, max_size=5))
def test_columns_answer_as_python_does_row_by_row(text: str, rows: list[tuple[int, int]]) -> None:
    expected = [bool(eval(text, {}, {"a": a, "b": b})) for a, b in rows]  # noqa: S307
    first, second = zip(*rows, strict=True)
    for make in (pd.Series, np.array):
        result = value_of(text, a=make(first), b=make(second))
        assert np.broadcast_to(np.asarray(result), len(rows)).tolist() == expected
    assert [value_of(text, a=a, b=b) for a, b in rows] == expected


class Tripwire:
    """A column that nobody may call, index or reach into."""

    def __call__(self, *_: object, **__: object) -> object:
        raise AssertionError("an expression called something")

    def __getitem__(self, _: object) -> object:
        raise AssertionError("an expression indexed something")

    def __getattr__(self, name: str) -> object:
        if name in ("dtype", "astype", "isin", "__len__"):
            raise AttributeError(name)
        raise AssertionError(f"an expression reached for {name}")


NAMES = [*FUNCTIONS, "a", "os", "__import__", "__builtins__", "open", "eval", "exec", "__class__"]
soup = st.lists(
    st.one_of(
        st.sampled_from(NAMES),
        st.sampled_from([*"()[].,:=+-*/%<>!'\"{}@ 019", " in ", " not ", " and ", " or ", " if "]),
        st.text(string.printable, max_size=3),
    ),
    max_size=12,
).map("".join)


QUOTED = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"]|"")*\"""", re.DOTALL)


@given(soup | st.text(max_size=40))
def test_any_text_is_a_refusal_or_a_harmless_tree(text: str) -> None:
    before = dict(os.environ)
    try:
        expression = parse(text)
    except ExpressionError:
        return
    unnamed = re.sub(
        r"""'(?:[^'\\]|\\.)*'|"(?:[^"]|"")*\"""", " c ", expression.text, flags=re.DOTALL
    )
    tree = ast.parse(unnamed.strip(), mode="eval")
    assert ast.dump(expression.tree).count("Call(") == ast.dump(tree).count("Call(")
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert all(isinstance(func, ast.Name) and func.id in FUNCTIONS for func in calls)
    assert not any(isinstance(node, ast.Attribute | ast.Subscript) for node in ast.walk(tree))
    with suppress(ExpressionError):
        expression.evaluate(dict.fromkeys(expression.columns, Tripwire()))
    assert dict(os.environ) == before


@given(st.sampled_from([name for name in dir(builtins) if name not in ("True", "False", "None")]))
def test_builtins_are_mere_column_names(name: str) -> None:
    assert parse(name).columns <= {name}
    with pytest.raises(ExpressionError):
        parse(f"{name}(1)")
    assert value_of(f"{name} == 5", **{name: 5}) is True
