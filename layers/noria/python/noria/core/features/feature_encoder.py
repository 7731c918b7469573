"""The feature recipe as a scikit-learn transformer that can also be written as an ONNX graph."""

import itertools
from collections.abc import Sequence
from typing import Any, Literal, Self, TypeVar

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin

from noria.common.arrays import Array
from noria.core.data.dataset import TEXTUAL, Column, Dataset
from noria.core.features.array_operations import NumpyOperations, Operations, as_category
from noria.core.features.encoders import FeatureStep
from noria.core.features.feature_selection import select_features
from noria.core.features.plan import Plan
from noria.core.features.recipes import RECIPES
from noria.core.features.recipes.base import Needs
from noria.errors import FeatureError

#: tree: missing stays NaN; forest: the same, imputed; linear: imputed, scaled, one-hot.
Family = Literal["tree", "forest", "linear"]
T = TypeVar("T")
#: Deviations from the mean: farther values would let a weighted sum extrapolate without end.
CLIP_AT = 3.0


def frame_of(dataset: Dataset) -> pd.DataFrame:
    """Put a dataset's raw columns into a DataFrame, categories coded once."""
    columns: dict[str, Any] = {}
    for column in dataset.columns:
        values = dataset.data[column.name]
        columns[column.name] = as_category(values) if column.kind in TEXTUAL else values
    return pd.DataFrame(columns, index=pd.RangeIndex(len(dataset)))


class ImputeScale:
    """Impute by the median, mark what was missing, and centre and scale, as the family needs."""

    def __init__(self, family: Family) -> None:
        self.impute, self.scale = family != "tree", family == "linear"
        self.marked: Array = np.zeros(0, dtype=np.int64)

    def fit(self, values: Array) -> Self:
        """Learn medians, the features that can be missing, and the scale."""
        if not self.impute:
            return self
        missing = np.isnan(values)
        self.marked = np.flatnonzero(missing.any(axis=0))
        self.medians = medians(values)
        filled = np.where(missing, self.medians, values).astype(np.float64)
        deviation = filled.std(axis=0)
        negligible = deviation <= 1e-7 * np.abs(filled).max(axis=0, initial=0.0)
        self.center = filled.mean(axis=0).astype(np.float32).reshape(1, -1)
        self.deviation = np.where(negligible, 1, deviation).astype(np.float32).reshape(1, -1)
        return self

    def build(self, operations: Operations[T], values: T) -> T:
        """State the formula."""
        if not self.impute:
            return values
        missing = operations.is_nan(values)
        filled = operations.where(missing, operations.constant(self.medians), values)
        if self.scale:
            filled = self._scaled(operations, filled)
        if not len(self.marked):
            return filled
        marks = operations.to_float(operations.take(missing, self.marked))
        return operations.concatenate([filled, marks])

    def _scaled(self, operations: Operations[T], values: T) -> T:
        centred = operations.subtract(values, operations.constant(self.center))
        scaled = operations.divide(centred, operations.constant(self.deviation))
        return operations.clip(scaled, -CLIP_AT, CLIP_AT)


def medians(values: Array) -> Array:
    """Return the median per column without NaN, 0 where all are missing; shape (1, k)."""
    ordered = np.sort(values, axis=0)
    known = np.count_nonzero(~np.isnan(values), axis=0)
    middle = np.maximum(known - 1, 0) // 2
    found = ordered[middle, np.arange(values.shape[1])] if len(values) else np.zeros(0)
    return np.where(known > 0, found, 0).astype(np.float32).reshape(1, -1)


class FeatureEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Raw dataset columns in, the plan's float32 feature matrix out.

    `family` says what the estimator behind it needs; `classes` is the number of classes of the
    target, 0 for regression.
    """

    def __init__(self, plan: Plan, family: Family = "tree", classes: int = 0) -> None:
        self.plan, self.family, self.classes = plan, family, classes

    def fit(self, X: pd.DataFrame, y: Array) -> Self:
        """Learn every step's tables."""
        self.fit_transform(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: Array, **_: Any) -> Array:
        """Learn, and return the training matrix: target means are out of fold here."""
        self.steps_ = make_steps(self.plan, self.family, self.classes)
        parts = [step.fit_transform(X, y) for step in self.steps_]
        if self.plan.selection:
            self.steps_, parts = select(self.steps_, parts, y, self.classes)
        numeric, _others = self._split(parts)
        self.finish_ = ImputeScale(self.family)
        if numeric:
            self.finish_.fit(np.concatenate(numeric, axis=1))
        return np.asarray(self._assemble(NumpyOperations(X), parts))

    def transform(self, X: pd.DataFrame) -> Array:
        """Compute the matrix of new rows."""
        parts = [step.transform(X) for step in self.steps_]
        return np.asarray(self._assemble(NumpyOperations(X), parts))

    def to_onnx(self, operations: Operations[T]) -> T:
        """Record the whole transformation as a graph."""
        return self._assemble(operations, [step.to_onnx(operations) for step in self.steps_])

    def inputs(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        """List the raw columns of the plan: after a selection, those that are still read."""
        read = {name for step in self.steps_ for name in step.reads}
        planned = read if self.plan.selection else {name for name, _ in self.plan.columns}
        return tuple(one for one in columns if one.name in planned)

    def get_feature_names_out(self, input_features: object = None) -> Array:
        """Name the columns of the matrix."""
        names = [name for step in self.steps_ if step.scaled for name in step.names]
        names += [f"{names[mark]} missing" for mark in self.finish_.marked] if names else []
        names += [name for step in self.steps_ if not step.scaled for name in step.names]
        return np.array(names, dtype=object)

    def monotone(self) -> list[int]:
        """Say of each column of the matrix that answers may only rise (1) or fall (-1) with it.

        0 is either. FeatureError where a feature mixes such a column with others. No array, as
        scikit-learn's trees would turn the signs of one in place, once for each tree.
        """
        signs = {"increasing": 1, "decreasing": -1}
        wanted = {name: signs[way] for name, way in self.plan.monotone.items()}
        for step in self.steps_:
            mixed = sorted({*step.reads} & {*wanted})
            if mixed and not step.rises:
                raise FeatureError(f"a feature mixes {mixed[0]!r} of features.monotone with others")
        scaled, others = self._split(
            [[wanted.get(n, 0) if step.rises else 0 for n in step.names] for step in self.steps_]
        )
        marks = [[0] * len(self.finish_.marked)] if scaled else []
        return [sign for part in (*scaled, *marks, *others) for sign in part]

    def _split(self, parts: list[T]) -> tuple[list[T], list[T]]:
        """Separate the parts that are imputed and scaled from those that stay as they are."""
        pairs = list(zip(self.steps_, parts, strict=True))
        numeric = [part for step, part in pairs if step.scaled]
        return numeric, [part for step, part in pairs if not step.scaled]

    def _assemble(self, operations: Operations[T], parts: list[T]) -> T:
        numeric, others = self._split(parts)
        if not numeric:
            return operations.concatenate(others)
        finished = self.finish_.build(operations, operations.concatenate(numeric))
        return operations.concatenate([finished, *others])


def select(
    steps: Sequence[FeatureStep], parts: Sequence[Array], target: Array, classes: int
) -> tuple[list[FeatureStep], list[Array]]:
    """Narrow fitted steps, and what they computed, to the features that help."""
    kept = select_features(np.concatenate(parts, axis=1), target, classes)
    edges = np.cumsum([0, *(part.shape[1] for part in parts)])
    found = [kept[(kept >= a) & (kept < b)] - a for a, b in itertools.pairwise(edges)]
    together = [one for one in zip(steps, parts, found, strict=True) if len(one[2])]
    return (
        [step.narrowed(positions) for step, _, positions in together],
        [part[:, positions] for _, part, positions in together],
    )


def make_steps(plan: Plan, family: Family, classes: int) -> list[FeatureStep]:
    """Turn a plan into steps, as the estimator's family needs them."""
    needs = Needs(linear=family == "linear", classes=classes, limits=plan.limits)
    steps = [step for recipe in RECIPES.values() for step in recipe.steps(plan.parts, needs)]
    if not steps:
        raise FeatureError(f"recipe {plan.recipe!r} makes no features: the plan has no columns")
    return steps
