"""From accepted rows to the dataset that models learn from."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.common.categories import Spellings
from noria.common.expressions import parse
from noria.contracts import Analysis, Problem
from noria.core.cleansing import holdout_split
from noria.core.cleansing.imputation import fill_value, impute
from noria.core.cleansing.target import (
    class_order,
    evaluated,
    labels_of,
    matching_class,
    target_columns,
    target_values,
)
from noria.core.column_types.event_time import event_time_name, needed_columns
from noria.core.column_types.timestamp_parsing import read_times
from noria.core.column_types.type_inference import ColumnKind
from noria.core.data.dataset import MISSING_TIMESTAMP, Column, Dataset, Kind
from noria.core.data.notation import Notation
from noria.core.data.precision import needs_double, to_single
from noria.core.data.text_normalization import plain_words
from noria.core.ingestion.raw_text import values_as_text
from noria.errors import DataError

DATASET_KINDS: dict[str, Kind] = {
    "number": "number",
    "bool": "number",
    "category": "category",
    "timestamp": "timestamp",
    "text": "text",
}


def to_dataset(
    accepted: pd.DataFrame,
    problem: Problem,
    columns: Mapping[str, ColumnKind],
    spellings: Mapping[str, Spellings] | None = None,
    notations: Mapping[str, Notation] | None = None,
) -> Dataset:
    """Build the dataset: features, target codes, the holdout and the rule's answers.

    All but the problem comes from `cleanse`. Left out are the target, the columns
    that only its expression uses, `features.exclude`, identifiers, and entity keys with
    many values. What slices go by is kept for evaluation, also where it is left out. Raises
    DataError when no feature is left.
    """
    features = feature_kinds(accepted, problem, columns)
    if not features:
        raise DataError(
            "no feature is left after leaving out the target and features.exclude: "
            "add columns or sources"
        )
    data = {name: as_array(accepted[name], kind) for name, kind in features.items()}
    target, classes = _target(accepted, problem)
    times = event_times(accepted, problem)
    entities = repeated_entities(accepted, problem, features)
    rows = data if entities is None else entities
    holdout = _holdout(rows, target, classes, times, problem)
    fills = {
        name: fill_value(name, kind, data[name][~holdout], problem)
        for name, kind in features.items()
    }
    written = notations or {}
    filled = {name: impute(data[name], kind, fills[name]) for name, kind in features.items()}
    return Dataset(
        columns=tuple(
            Column(
                name,
                kind,
                fills[name],
                _spellings(name, kind, spellings or {}, problem),
                written.get(name, Notation()),
                double=data[name].dtype == np.float64,
            )
            for name, kind in features.items()
        ),
        data=filled,
        target=target,
        classes=classes,
        holdout=holdout,
        event_time=times,
        rule=rule_answers(accepted, problem, classes, target),
        left_out={
            name: written.get(name, Notation())
            for name in _collected(written, problem)
            if name not in features
        },
        groups=None if entities is None else _codes(entities),
        slices=_slices(accepted, problem, columns, filled),
    )


def _slices(
    accepted: pd.DataFrame,
    problem: Problem,
    columns: Mapping[str, ColumnKind],
    features: Mapping[str, NDArray[Any]],
) -> dict[str, NDArray[Any]]:
    """What slices go by: a feature as models read it, any other column as it was accepted."""
    names = dict.fromkeys(piece.column for piece in problem.objective.slices)
    kinds = {name: DATASET_KINDS.get(columns.get(name, "category"), "category") for name in names}
    return {
        name: features[name] if name in features else as_array(accepted[name], kinds[name])
        for name in names
        if name in features or name in accepted
    }


def _collected(notations: Mapping[str, Notation], problem: Problem) -> list[str]:
    """List the columns that rows of the sources have, those left unread included."""
    named = [*problem.features.exclude, *sorted(target_columns(problem))]
    return list(dict.fromkeys([*notations, *named]))


def _spellings(
    name: str, kind: Kind, known: Mapping[str, Spellings], problem: Problem
) -> Spellings:
    """Return what a request's texts are brought to; a free text has aliases at most."""
    rule = problem.quality.columns.get(name)
    if kind == "text" and not (rule and rule.aliases):
        return Spellings()
    return known.get(name, Spellings())


def feature_kinds(
    accepted: pd.DataFrame, problem: Problem, columns: Mapping[str, ColumnKind]
) -> dict[str, Kind]:
    """Choose the columns that are features, and their kinds in the dataset."""
    left_out = {*_only_for_target(problem), problem.target.name, *problem.features.exclude}
    return {
        name: "category" if name in problem.entity_key else DATASET_KINDS[kind]
        for name, kind in columns.items()
        if kind in DATASET_KINDS
        and name not in left_out
        and (name not in problem.entity_key or _few_entities(accepted[name], problem.analysis))
    }


def _only_for_target(problem: Problem) -> set[str]:
    """List the target's columns that nothing known at prediction time uses."""
    rule = parse(problem.baseline.rule).columns if problem.baseline.rule else frozenset()
    slices = {piece.column for piece in problem.objective.slices}
    known_before = {*needed_columns(problem), *rule, *problem.entity_key, *slices}
    return set(target_columns(problem)) - (known_before - {problem.target.name})


def repeated_entities(
    accepted: pd.DataFrame, problem: Problem, features: Collection[str]
) -> dict[str, NDArray[Any]] | None:
    """The entity key of each row, where several rows of an entity must be judged together.

    A model that learns from one row of a patient and is judged by another looks better than it is
    on patients to come. None where no entity has a second row, and where the key is a feature:
    then the entities to come are those that are known.
    """
    names = problem.entity_key
    if not names or any(name in features or name not in accepted for name in names):
        return None
    if not accepted.duplicated(subset=names).any():
        return None
    return {name: as_array(accepted[name], "category") for name in names}


def _codes(entities: Mapping[str, NDArray[Any]]) -> NDArray[np.int64]:
    codes = pd.DataFrame(entities).groupby(list(entities), sort=True).ngroup()
    return np.asarray(codes.to_numpy(), dtype=np.int64)


def _few_entities(values: pd.Series, limits: Analysis) -> bool:
    """Whether an entity key is a feature: one with more values would be learnt by heart."""
    most = max(len(values) // limits.entity_rows, 2)
    return values.nunique() <= min(limits.entity_categories, most)


def as_array(values: pd.Series, kind: Kind) -> NDArray[Any]:
    """Convert a column to the array of its kind, missing values as the dataset marks them."""
    if kind == "number":
        numbers = values.astype("float64").to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers if needs_double(numbers) else to_single(numbers)
    if kind == "timestamp":
        return epoch_seconds(values)
    codes, distinct = pd.factorize(values_as_text(values))
    texts = map(plain_words, map(str, distinct)) if kind == "text" else map(str, distinct)
    vocabulary = np.array([*texts, ""], dtype=np.str_)
    return vocabulary[codes]  # code -1, a missing value, takes the last: ""


def epoch_seconds(values: pd.Series) -> NDArray[np.int64]:
    """Convert timestamps to whole seconds since 1970 UTC."""
    seconds = read_times(values).dt.as_unit("s")
    present = seconds.notna().to_numpy()
    return np.where(present, seconds.astype("int64").to_numpy(), MISSING_TIMESTAMP)


def event_times(accepted: pd.DataFrame, problem: Problem) -> NDArray[np.int64] | None:
    """Return the event time of each row in epoch seconds, if the problem has one."""
    name = event_time_name(problem)
    return None if name is None else epoch_seconds(accepted[name])


def _target(accepted: pd.DataFrame, problem: Problem) -> tuple[NDArray[Any], tuple[str, ...]]:
    values = target_values(accepted, problem)
    if problem.task == "regression":
        return values.to_numpy(dtype=np.float64), ()
    classes = class_order(values, problem)
    codes, labels = pd.factorize(values)
    return np.array([classes.index(label) for label in labels], dtype=np.int64)[codes], classes


def _holdout(
    data: Mapping[str, NDArray[Any]],
    target: NDArray[Any],
    classes: tuple[str, ...],
    times: NDArray[np.int64] | None,
    problem: Problem,
) -> NDArray[np.bool_]:
    """The latest rows, or those that a hash of their features chooses, or of their entity."""
    share = problem.evaluation.holdout
    by_time = holdout_split.latest_rows(times, share) if times is not None else None
    return (
        by_time
        if by_time is not None
        else holdout_split.hashed_rows(data, target if classes else None, share)
    )


def rule_answers(
    accepted: pd.DataFrame,
    problem: Problem,
    classes: tuple[str, ...],
    target: NDArray[Any],
) -> NDArray[np.float64] | None:
    """Evaluate the contract's rule per row: P(positive), a class code, or a value.

    A row whose rule cannot be evaluated counts as negative, the first class or the mean target.
    """
    if problem.baseline.rule is None:
        return None
    answers = evaluated(parse(problem.baseline.rule), accepted)
    if problem.task == "multiclass":
        return _class_codes(answers, classes, problem.baseline.rule)
    if problem.task == "binary" and answers.dtype != bool:
        labels = labels_of(answers)
        if labels.dropna().isin(classes).all() and not _numeric(answers):
            return np.asarray(labels == classes[1], dtype=np.float64)
    numbers = pd.to_numeric(answers.astype("object"), errors="coerce").astype("float64")
    missing = float(np.mean(target)) if problem.task == "regression" else 0.0
    return np.asarray(numbers.fillna(missing), dtype=np.float64)


def _numeric(answers: pd.Series) -> bool:
    present = answers.dropna().infer_objects()
    return pd.api.types.is_numeric_dtype(present) or pd.api.types.is_bool_dtype(present)


def _class_codes(answers: pd.Series, classes: tuple[str, ...], rule: str) -> NDArray[np.float64]:
    labels = labels_of(answers)
    found = {label: matching_class(label, list(classes)) for label in labels.dropna().unique()}
    unknown = [label for label, known in found.items() if known is None]
    if unknown:
        raise DataError(
            f"baseline.rule {rule!r} answers {unknown[0]!r}, which is none of the classes "
            f"{', '.join(classes)}: for a multiclass target a rule must answer a class"
        )
    codes = labels.map({label: classes.index(str(known)) for label, known in found.items()})
    return codes.fillna(0).to_numpy(dtype=np.float64)
