"""What a rule's answer means as a score of the task: in the graph, and computed by the grammar."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from onnx import TensorProto

from noria.common.arrays import Array
from noria.common.expressions import Expression
from noria.core.cleansing.target import matching_class
from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset, empty_value, is_missing
from noria.core.data.decimals import as_written
from noria.core.rule_model.onnx_graph import RuleGraph
from noria.core.rule_model.onnx_operations import RuleOperations
from noria.core.rule_model.values import WORDS, Value
from noria.errors import ContractError

SHOWN = 3


def record_score(answer: Value, graph: RuleGraph, on: RuleOperations, read: Dataset) -> str:
    """Record what turns a rule's answer into the output of a model of the task.

    `read` has the columns that the rule reads. ContractError where the answer is no prediction.
    """
    if answer.meaning in ("time", "span"):
        raise ContractError(f"the rule answers {WORDS[answer.meaning]}, which is no prediction")
    unknown = _unknown(on, read)
    if len(read.classes) > 2:
        return _one_of_many(answer, graph, on, read, unknown)
    value = graph.number(answer) if answer.meaning != "text" else _positive(answer, on, read)
    broken = on.either(on.is_nan(value), on.node("IsInf", value))
    missing = on.double(missing_answer(read))
    safe = on.where(on.either(unknown, broken), missing, value)
    flat = on.node("Reshape", safe, on.constant(np.array([-1], dtype=np.int64)))
    return on.clip(on.to_float(flat), 0.0, 1.0) if read.classes else flat


def missing_answer(read: Dataset) -> float:
    """The answer where a column is missing: negative, or the mean target of a regression."""
    return 0.0 if read.classes else float(read.target.mean())


def _unknown(on: RuleOperations, read: Dataset) -> str:
    """Mark the rows in which a column of the rule is missing."""
    marks = [_is_missing(on, column) for column in read.columns]
    found = marks[0]
    for mark in marks[1:]:
        found = on.either(found, mark)
    return found


def _is_missing(on: RuleOperations, column: Column) -> str:
    if column.kind == "number":
        double = column.name in on.doubles
        return on.is_nan(on.exact(column.name) if double else on.column(column.name))
    raw = on.column(column.name)
    if column.kind == "timestamp":
        return on.equal(raw, on.constant(np.array(MISSING_TIMESTAMP, dtype=np.int64)))
    return on.is_one_of(raw, [str(empty_value("category"))])


def _positive(answer: Value, on: RuleOperations, read: Dataset) -> str:
    codes = on.lookup(answer.tensor, dict(label_codes(_column_of(answer, on, read), read)), 0.0)
    return on.node("Cast", codes, to=TensorProto.DOUBLE)


def _one_of_many(
    answer: Value, graph: RuleGraph, on: RuleOperations, read: Dataset, unknown: str
) -> str:
    """Give the class that the rule names probability 1; the first one where it names none."""
    if answer.meaning == "text":
        codes = on.lookup(answer.tensor, dict(label_codes(_column_of(answer, on, read), read)), 0.0)
        named = on.node("Cast", codes, to=TensorProto.DOUBLE)
        wanted = np.arange(len(read.classes), dtype=np.float64)
    else:
        named, wanted = graph.number(answer), class_numbers(read, answer.meaning == "boolean")
    nothing = on.double(np.nan)
    hits = on.equal(on.where(unknown, nothing, named), on.constant(wanted.reshape(1, -1)))
    first = on.node("ArgMax", on.to_float(hits), axis=1, keepdims=1)
    places = on.constant(np.arange(len(read.classes), dtype=np.int64).reshape(1, -1))
    return on.to_float(on.equal(first, places))


def class_numbers(read: Dataset, booleans: bool) -> NDArray[np.float64]:
    """The number by which a rule names each class; NaN where a number can name it never."""
    names = {"false": 0.0, "true": 1.0}
    if booleans:
        return np.array([names.get(name.lower(), np.nan) for name in read.classes])
    numbers = pd.to_numeric(pd.Series(read.classes, dtype="object"), errors="coerce")
    return np.asarray(numbers, dtype=np.float64)


def label_codes(column: str, read: Dataset) -> Mapping[str, float]:
    """The class code of every text that the rule's column holds; ContractError where it has none.

    A text that the data do not hold is the first class.
    """
    texts = np.unique(read.data[column][~is_missing("category", read.data[column])]).tolist()
    found = {text: matching_class(text, list(read.classes)) for text in (*read.classes, *texts)}
    strange = [text for text, name in found.items() if name is None]
    if strange:
        raise ContractError(
            f"the rule answers {', '.join(map(repr, strange[:SHOWN]))}, which is none of the "
            f"classes {', '.join(read.classes)}"
        )
    return {text: float(read.classes.index(name)) for text, name in found.items() if name}


def _column_of(answer: Value, on: RuleOperations, read: Dataset) -> str:
    """The only texts that a rule can answer are a column's."""
    for column in read.columns:
        if on.column(column.name) == answer.tensor:
            return column.name
    raise ContractError("the rule answers the same text for every row: it is no prediction")


def expected_scores(
    rule: Expression, read: Dataset, decimals: Mapping[str, int]
) -> NDArray[np.float64]:
    """Answer all rows by the grammar itself: P(positive), class probabilities (n, k), or values.

    ContractError where a binary rule answers anything but booleans and probabilities.
    """
    inputs = {one.name: _series(one, read, decimals.get(one.name, 0)) for one in read.columns}
    answers = pd.Series(rule.evaluate(inputs), index=pd.RangeIndex(len(read)))
    unknown = np.zeros(len(read), dtype=bool)
    for column in read.columns:
        unknown |= is_missing(column.kind, read.data[column.name])
    if len(read.classes) > 2:
        return _expected_classes(answers, read, unknown)
    values = _codes(answers, read) if _is_text(answers) else answers.astype("float64").to_numpy()
    safe = np.where(unknown | ~np.isfinite(values), missing_answer(read), values)
    if read.classes and not ((safe >= 0) & (safe <= 1)).all():
        worst = safe[np.argmax(np.abs(safe - 0.5))]
        raise ContractError(
            f"the rule {rule.text!r} cannot be served: it answers {worst:g}, and a binary rule "
            "that is served answers true, false or a probability from 0 to 1"
        )
    return safe


def _series(column: Column, read: Dataset, decimals: int) -> "pd.Series[Any]":
    values = read.data[column.name]
    if column.kind == "number":
        return pd.Series(as_written(values, decimals))
    if column.kind == "category":
        return pd.Series(values.astype(object), dtype="object")
    seconds = np.where(values == MISSING_TIMESTAMP, 0, values)
    return pd.Series(pd.to_datetime(seconds, unit="s", utc=True))


def _is_text(answers: "pd.Series[Any]") -> bool:
    return answers.dtype == object and all(isinstance(one, str) for one in answers)


def _codes(answers: "pd.Series[Any]", read: Dataset) -> NDArray[np.float64]:
    known = {name: code for code, name in enumerate(read.classes)}
    found = {text: matching_class(text, list(known)) for text in answers.unique().tolist() if text}
    codes = answers.map({text: known[name] for text, name in found.items() if name is not None})
    return np.asarray(codes, dtype=np.float64)


def _expected_classes(
    answers: "pd.Series[Any]", read: Dataset, unknown: Array
) -> NDArray[np.float64]:
    if _is_text(answers):
        codes = _codes(answers, read)
    else:
        booleans = answers.dtype in ("bool", "boolean")
        wanted = class_numbers(read, booleans)
        hits = answers.astype("float64").to_numpy()[:, None] == wanted
        codes = np.where(hits.any(axis=1), hits.argmax(axis=1), 0)
    codes = np.where(unknown | np.isnan(codes), 0, codes).astype(np.int64)
    return np.asarray(codes[:, None] == np.arange(len(read.classes)), dtype=np.float64)
