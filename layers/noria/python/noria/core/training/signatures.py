"""What a model's signature says of the columns that its training rows had."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noria.contracts import Problem
from noria.core.data.dataset import Dataset, is_missing
from noria.core.data.notation import Notation
from noria.core.model.example_requests import request_value
from noria.core.model.signature import Field, Signature
from noria.core.model.written_types import DataType, data_type_of, label_type_of

SEEN_VALUES = 50  # that people are shown
KNOWN_VALUES = 2_000  # that a request's are compared with; columns of more are hardly categories


def signature_of(
    training: Dataset, problem: Problem, recipe: str, candidate: str, versions: Mapping[str, str]
) -> Signature:
    """Describe what a version takes and answers, as its training rows show it."""
    fields = tuple(
        field_of(training, name).model_copy(update=declared_of(name, problem))
        for name in training.names()
    )
    last = len(training) - 1
    return Signature(
        problem=problem.name,
        statement=problem.statement,
        task=problem.task,
        target=problem.target.name,
        classes=training.classes,
        label_type=label_type_of(training.classes),
        columns=fields,
        left_out=tuple(training.left_out),
        example={field.name: request_value(field, training, last) for field in fields},
        metric=problem.objective.metric,
        recipe=recipe,
        candidate=candidate,
        rows=len(training),
        versions=dict(versions),
    )


def field_of(training: Dataset, name: str) -> Field:
    """Describe what training saw of one column."""
    column = next(column for column in training.columns if column.name == name)
    kind, values = column.kind, training.data[name]
    missing = is_missing(kind, values)
    known = values[~missing]
    field = Field(
        name=name,
        kind=kind,
        missing=float(missing.mean()),
        fill=column.fill,
        spellings=dict(column.spellings.table),
        fold=column.spellings.fold,
        notation=column.notation,
        double=column.double,
    )
    if kind == "text":
        return field
    if kind == "category":
        texts, counts = np.unique(known, return_counts=True)
        ordered = texts[np.argsort(-counts, kind="stable")[:KNOWN_VALUES]].tolist()
        found: dict[str, Any] = {
            "values": tuple(ordered[:SEEN_VALUES]),
            "further": tuple(ordered[SEEN_VALUES:]),
            "distinct": len(texts),
            "data_type": data_type_of(texts.tolist()),
        }
        return field.model_copy(update=found)
    if kind == "number":
        field = field.model_copy(update={"data_type": _number_type(column.notation, known)})
    if not len(known):
        return field
    low, high = np.quantile(known.astype(np.float64), (0.01, 0.99)).tolist()
    seen = {"minimum": float(known.min()), "low": low, "high": high, "maximum": float(known.max())}
    return field.model_copy(update=seen)


def _number_type(notation: Notation, known: NDArray[Any]) -> DataType:
    if notation.boolean:
        return "boolean"
    return "integer" if len(known) and bool((known % 1 == 0).all()) else "number"


def declared_of(name: str, problem: Problem) -> dict[str, str | None]:
    """Return what the contract says of a column: unit and time zone, and how answers follow it."""
    rule = problem.quality.columns.get(name)
    told: dict[str, str | None] = {"monotone": problem.features.monotone.get(name)}
    return told | ({"unit": rule.unit, "zone": rule.timezone} if rule is not None else {})
