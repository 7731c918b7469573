"""A rule as a model: the graph answers as the grammar does, or the rule is refused by name."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.datasets import load_diabetes

from noria.contracts import Problem
from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset
from noria.core.data.decimals import as_written, decimals_of
from noria.core.model.example_requests import sample_rows
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.rule_model.rule_model import RuleModel, rule_model, why_not_served
from noria.errors import ContractError, ExpressionError
from tests.support.data_frames import bundled, dataset_of
from tests.support.data_frames import problem as rows_problem
from tests.support.examples import examples
from tests.support.model_data import problem

NUMBERS, TRUTHS, TEXTS, TIMES = ("a", "b", "whole"), ("flag",), ("word", "other"), ("at", "until")
VOCABULARY = ("UA", "AA", "größe", "it's", "1")
METRIC_OF = {"binary": "roc_auc", "multiclass": "accuracy", "regression": "r2"}
EDGES = [0.0, 16.8, 0.1, 0.3, -2.5, 1e-7, 3.4e38, 16777217.0, 20130401.0, np.nan]


def table(rows: int, classes: tuple[str, ...], seed: int) -> Dataset:
    """Columns of all kinds with missing values; numbers as people and as machines write them."""
    generator = np.random.default_rng(seed)

    def holes(values: Any, hole: Any) -> Any:
        return np.where(generator.random(rows) < 0.1, hole, values)

    times = generator.integers(1_300_000_000, 1_400_000_000, rows)
    data = {
        "a": holes(
            generator.choice([*np.round(generator.normal(size=9), 2), *EDGES], rows), np.nan
        ),
        "b": holes(np.round(generator.normal(size=rows) * 10, 1), np.nan),
        "whole": holes(generator.integers(-3, 4, rows), np.nan),
        "flag": holes(generator.integers(0, 2, rows), np.nan),
        "word": holes(generator.choice(VOCABULARY, rows), ""),
        "other": holes(generator.choice(VOCABULARY, rows), ""),
        "at": holes(times, MISSING_TIMESTAMP),
        "until": holes(times + generator.integers(-7200, 7200, rows), MISSING_TIMESTAMP),
    }
    kinds: dict[str, Any] = dict.fromkeys(TEXTS, "category") | dict.fromkeys(TIMES, "timestamp")
    target = generator.integers(0, max(len(classes), 2), rows)
    return Dataset(
        tuple(Column(name, kinds.get(name, "number")) for name in data),
        data, target, classes, np.arange(rows) % 3 == 0,
    )  # fmt: skip


def contract(rule: str, task: str = "binary") -> Problem:
    return problem(task, METRIC_OF[task], baseline={"rule": rule, "serve": True})


def served(dataset: Dataset, rule: str, task: str = "binary") -> tuple[Any, Any]:
    """What the artifact answers to all rows, and what the grammar says."""
    made = rule_model(dataset, contract(rule, task))
    assert made.signature.names == made.dataset.names()
    return OnnxModel(made.onnx, made.signature).score(made.dataset.data), made.scores


numbers = st.recursive(
    st.sampled_from([*NUMBERS, *TRUTHS])
    | st.sampled_from(["0", "1", "2", "16.8", "0.1", "0.3", "-2.5", "1e3", "20130401", "true"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/%"), inner)
        | st.builds("(-{})".format, inner)
    ),
    max_leaves=4,
)
ORDER = st.sampled_from(["<", "<=", ">", ">=", "==", "!="])
spans = st.sampled_from(["minutes(30)", "hours(whole)", "days(0.5)", "minutes(b)", "(until - at)"])
times = st.sampled_from(["at", "until"]) | st.builds("(at + {})".format, spans)
texts = st.sampled_from(["'UA'", "'größe'", "'it\\'s'", "'nowhere'", "''"])
IN = st.sampled_from(["in", "not in"])
conditions = st.one_of(
    st.builds("({} {} {})".format, numbers, ORDER, numbers),
    st.builds("({} {} {} {} {})".format, numbers, ORDER, numbers, ORDER, numbers),
    st.builds("(whole {} [-1, 2, 0.5])".format, IN),
    st.builds("({} {} {})".format, st.sampled_from(TEXTS), st.sampled_from(["==", "!="]), texts),
    st.builds("({} == {})".format, texts, st.sampled_from(TEXTS)),
    st.builds("({} {} [{}, {}])".format, st.sampled_from(TEXTS), IN, texts, texts),
    st.builds("({} {} {})".format, times, ORDER, times),
    st.builds("({} {} {})".format, spans, ORDER, spans),
    st.builds("(at {} '2013-01-31T17:00:00Z')".format, ORDER),
)
truths = st.recursive(
    conditions | st.sampled_from([*NUMBERS, *TRUTHS, "true", "false"]),
    lambda inner: (
        st.builds("({} and {})".format, inner, inner)
        | st.builds("({} or {})".format, inner, inner)
        | st.builds("(not {})".format, inner)
    ),
    max_leaves=5,
)


@examples(400)
@given(rule=truths, seed=st.integers(0, 50))
def test_conditions_are_answered_as_the_grammar_does(rule: str, seed: int) -> None:
    check(rule, "binary", seed)


@examples(400)
@given(rule=numbers, seed=st.integers(0, 50))
def test_numbers_are_answered_as_the_grammar_does(rule: str, seed: int) -> None:
    check(rule, "regression", seed)


def check(rule: str, task: str, seed: int) -> None:
    dataset = table(60, ("no", "yes") if task == "binary" else (), seed)
    try:
        artifact, expected = served(dataset, rule, task)
    except ExpressionError as error:
        # What pandas cannot do, or two columns of truths that are no numbers.
        assert any(word in str(error) for word in ("cannot be evaluated", "truths", "negative"))
        assume(False)
    except ContractError as error:
        assert any(word in str(error) for word in ("reads no column", "0 to 1"))
        assume(False)
    np.testing.assert_array_equal(artifact, expected)


def species() -> pd.DataFrame:
    """150 iris flowers with their species by name."""
    names = {0: "setosa", 1: "versicolor", 2: "virginica"}
    frame = bundled("iris").rename(columns=lambda name: name.split(" (")[0].replace(" ", "_"))
    guess = np.where(frame["petal_width"] > 0.8, "virginica", "setosa")
    return frame.assign(y=frame["y"].map(names), guess=guess)


@pytest.mark.parametrize(
    ("task", "rule"),
    [
        ("binary", "worst_radius > 16.8"),
        ("binary", "worst_radius > 16.8 or mean_texture * 2 >= 43.2"),
        ("binary", "worst_radius - mean_radius > 2.7 and not mean_texture < 14.11"),
        ("binary", "(worst_radius + 0.3) / 50"),
        ("regression", "bmi * 5.1 + s5 * 0.1 - 3"),
        ("regression", "bmi > 26.2"),
    ],
)
def test_a_rule_answers_as_on_the_data_as_collected(task: str, rule: str) -> None:
    asked = rows_problem(task, baseline={"rule": rule, "serve": True})
    dataset = dataset_of(tumours() if task == "binary" else diabetes(), asked)
    made = rule_model(dataset, asked)
    assert made.differing == 0
    assert dataset.rule is not None
    np.testing.assert_allclose(answered(made), dataset.rule, rtol=1e-6)


def answered(made: RuleModel) -> Any:
    return OnnxModel(made.onnx, made.signature).score(made.dataset.data)


def tumours() -> pd.DataFrame:
    return bundled("breast_cancer").rename(columns=lambda name: name.replace(" ", "_"))


def diabetes() -> pd.DataFrame:
    """Diabetes with its measurements as they were written, not standardised."""
    frame: pd.DataFrame = load_diabetes(as_frame=True, scaled=False).frame
    return frame.rename(columns={"target": "y"})


@pytest.mark.parametrize("rule", ["guess", "(petal_width > 0.8) * 1 + (petal_width >= 1.75) * 1"])
def test_a_rule_of_many_classes_names_one(rule: str) -> None:
    frame = species()
    if rule != "guess":
        frame["y"] = frame["y"].map({"setosa": 0, "versicolor": 1, "virginica": 2})
    asked = rows_problem("multiclass", baseline={"rule": rule, "serve": True})
    dataset = dataset_of(frame, asked)
    made = rule_model(dataset, asked)
    assert made.differing == 0
    assert dataset.rule is not None
    np.testing.assert_array_equal(answered(made).argmax(axis=1), dataset.rule)
    np.testing.assert_array_equal(answered(made).sum(axis=1), 1)
    strange = [{"guess": "tulip"}, {"guess": None}, {"guess": "virginica"}]
    if rule == "guess":
        said = OnnxModel(made.onnx, made.signature).predict(strange)
        assert [one["prediction"] for one in said] == ["setosa", "setosa", "virginica"]


def test_requests_are_answered_with_and_without_values() -> None:
    asked = contract("a > 16.8 and word in ['UA', 'AA']")
    made = rule_model(table(60, ("no", "yes"), 0), asked)
    model = OnnxModel(made.onnx, made.signature)
    rows = [
        {"a": 16.8, "word": "UA"}, {"a": 16.800001, "word": "UA"}, {"a": 17, "word": "BA"},
        {"a": 17}, {"word": "UA"}, {}, {"a": 17, "word": "AA"},
    ]  # fmt: skip
    said = [(one["prediction"], one["probability"]) for one in model.predict(rows)]
    no, yes = ("no", 0.0), ("yes", 1.0)
    assert said == [no, yes, no, no, no, no, yes]


def test_a_missing_value_in_a_regression_is_the_mean_target() -> None:
    dataset = table(60, (), 0)
    made = rule_model(dataset, contract("b / whole", "regression"))
    said = OnnxModel(made.onnx, made.signature).predict([{"b": 1}, {"b": 1, "whole": 0}])
    assert [one["prediction"] for one in said] == [pytest.approx(dataset.target.mean())] * 2


def test_the_signature_has_the_rules_columns_alone() -> None:
    made = rule_model(table(60, ("no", "yes"), 0), contract("a > 0 or at > until"))
    assert made.signature.names == ["a", "at", "until"]
    assert (made.signature.candidate, made.signature.recipe) == ("rule", "rule")
    assert "a > 0 or at > until" in made.signature.statement
    assert set(made.signature.example) == {"a", "at", "until"}
    [row] = sample_rows(made.dataset.holdout_rows, made.signature, 1)
    assert len(OnnxModel(made.onnx, made.signature).predict([row])) == 1


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("word + 'x' == 'UAx'", "a text and a text are put together"),
        ("word < 'B'", "texts have no order"),
        ("word == other", "two columns of texts"),
        ("word == 5", "a number is compared with a text"),
        ("word and a > 1", "and, or and not take"),
        ("a == 'UA'", "a number is compared with a text"),
        ("a in [1, 'x']", "a list does not hold a number"),
        ("at > 3", "a time stands where a number is needed"),
        ("at > 'noon'", "no ISO 8601 time"),
        ("at + minutes(3)", "the rule answers a time"),
        ("until - at", "the rule answers a duration"),
        ("hours(a) * 2 > hours(3)", "a duration and a number are put together"),
        ("dep_delay > 15", "column 'dep_delay' is no feature"),
        ("1 > 0", "it reads no column"),
        ("a", "it answers"),
        ("word", "none of the classes"),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(rule: str, why: str) -> None:
    dataset = table(60, ("no", "yes"), 0)
    with pytest.raises(ContractError, match=why):
        rule_model(dataset, contract(rule))
    said = why_not_served(dataset, contract(rule))
    assert said is not None
    assert why in said
    assert why_not_served(dataset, contract("a > 1")) is None


def test_answers_that_32_bits_change_are_counted() -> None:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame({"account": generator.integers(10**9, 2 * 10**9, 300)})
    frame["y"] = frame["account"] % 2
    asked = rows_problem(baseline={"rule": "account % 2 == 1"})
    made = rule_model(dataset_of(frame, asked), asked)
    odd = int((frame["y"] == 1).sum())
    assert made.differing == odd  # float32 holds only even numbers of that size
    assert not answered(made).any()


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1), st.integers(0, 6))
def test_numbers_of_few_digits_are_read_as_written(whole: list[int], decimals: int) -> None:
    written = np.array([float(f"{number}e-{decimals}") for number in whole])
    narrow = written.astype(np.float32)
    assert decimals_of(narrow) <= decimals
    np.testing.assert_array_equal(as_written(narrow, decimals), written)
    np.testing.assert_array_equal(as_written(narrow, decimals_of(narrow)), written)
