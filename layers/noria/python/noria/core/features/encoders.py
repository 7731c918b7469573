"""Feature steps: each learns its tables from training rows and states its formula once."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Self, TypeVar

import numpy as np
import pandas as pd

from noria.common.arrays import Array
from noria.core.features.array_operations import Coded, NumpyOperations, Operations
from noria.core.features.encoder_limits import USUAL

T = TypeVar("T")
NAN = np.full((1, 1), np.nan, dtype=np.float32)
ZERO = np.zeros((1, 1), dtype=np.float32)
LARGEST = np.full((1, 1), 1e18, dtype=np.float32)
ORDINAL_TEXTS = 250
TARGET_TEXTS = 5_000
TARGET_CLASSES = 20
TARGET_FOLDS = 5


class FeatureStep(ABC):
    """Raw columns in, float32 feature columns out; `names` has one entry per feature."""

    #: Whether a linear model wants this step's features centred and scaled.
    scaled: bool = True
    #: Whether each feature, named as its column, rises with that.
    rises: bool = False
    names: list[str]
    #: The raw columns that the formula needs.
    reads: tuple[str, ...]

    def fit(self, frame: pd.DataFrame, target: Array) -> Self:
        """Learn tables from training rows; most steps have none."""
        return self

    @abstractmethod
    def build(self, operations: Operations[T]) -> T:
        """State the formula."""

    def transform(self, frame: pd.DataFrame) -> Array:
        """Compute the features of these rows."""
        return np.asarray(self.build(NumpyOperations(frame)), dtype=np.float32)

    def fit_transform(self, frame: pd.DataFrame, target: Array) -> Array:
        """Learn, and compute the features that the model is trained on."""
        return self.fit(frame, target).transform(frame)

    def to_onnx(self, operations: Operations[T]) -> T:
        """Record the formula as a graph."""
        return self.build(operations)

    def narrowed(self, positions: Array) -> "FeatureStep":
        """Return the fitted step with only these of its features."""
        return Narrowed(self, positions)


class Narrowed(FeatureStep):
    """Some of the features of a fitted step."""

    def __init__(self, step: FeatureStep, positions: Array) -> None:
        self.step, self.positions = step, positions
        self.scaled, self.rises = step.scaled, step.rises
        self.names = [step.names[position] for position in positions]
        self.reads = step.reads

    def build(self, operations: Operations[T]) -> T:
        """Pick from what the step computes."""
        every = self.step.build(operations)
        whole = len(self.positions) == len(self.step.names)
        return every if whole else operations.take(every, self.positions)


class Numbers(FeatureStep):
    """Number columns as they are."""

    rises = True

    def __init__(self, columns: Sequence[str]) -> None:
        self.names, self.reads = list(columns), tuple(columns)

    def build(self, operations: Operations[T]) -> T:
        """Put the columns beside each other."""
        return operations.concatenate([operations.column(name) for name in self.names])

    def narrowed(self, positions: Array) -> FeatureStep:
        """Read fewer columns."""
        return Numbers([self.names[position] for position in positions])


class Ordinal(FeatureStep):
    """Categories as their rank by frequency; rare and unseen ones share -1."""

    def __init__(self, column: str) -> None:
        self.column, self.names, self.reads = column, [f"{column} rank"], (column,)
        self.ranks: dict[str, float] = {}

    def fit(self, frame: pd.DataFrame, target: Array) -> Self:
        """Rank the most frequent texts."""
        texts = frequent_texts(frame, self.column, ORDINAL_TEXTS)
        self.ranks = {text: float(rank) for rank, text in enumerate(texts)}
        return self

    def build(self, operations: Operations[T]) -> T:
        """Look the rank up."""
        return operations.lookup(operations.column(self.column), self.ranks, -1.0)


class OneHot(FeatureStep):
    """A column of 0 and 1 for each of the most frequent categories, and one for the others."""

    scaled = False

    def __init__(self, column: str, texts: int = USUAL.one_hot_values) -> None:
        self.column, self.size, self.reads = column, texts, (column,)
        self.positions: dict[str, float] = {}
        self.names = []

    def fit(self, frame: pd.DataFrame, target: Array) -> Self:
        """Choose the most frequent texts."""
        texts = frequent_texts(frame, self.column, self.size)
        self.positions = {text: float(position) for position, text in enumerate(texts)}
        self.names = [f"{self.column} = {text or 'missing'}" for text in texts]
        self.names.append(f"{self.column} = other")
        return self

    def build(self, operations: Operations[T]) -> T:
        """Compare the position of the category with every position."""
        other = float(len(self.positions))
        position = operations.lookup(operations.column(self.column), self.positions, other)
        every = np.arange(len(self.positions) + 1, dtype=np.float32).reshape(1, -1)
        return operations.to_float(operations.equal(position, operations.constant(every)))


class TargetMeans(FeatureStep):
    """The smoothed mean of the target per category (per class, where there are more than two).

    Training rows get means from the other folds, so that no row sees its own target.
    """

    def __init__(self, column: str, classes: int, smoothing: float = USUAL.smoothing_rows) -> None:
        self.column, self.smoothing, self.reads = column, smoothing, (column,)
        self.codes = list(range(min(classes, TARGET_CLASSES))) if classes > 2 else [-1]
        self.names = [
            f"{column} target mean" + ("" if code < 0 else f" {code}") for code in self.codes
        ]
        self.tables: list[dict[str, float]] = []
        self.priors: list[float] = []

    def fit(self, frame: pd.DataFrame, target: Array) -> Self:
        """Learn the means from all rows."""
        coded = coded_column(frame, self.column)
        texts = frequent_texts(frame, self.column, TARGET_TEXTS)
        position = {text: index for index, text in reversed(list(enumerate(coded.texts)))}
        self.tables, self.priors = [], []
        for values in self._targets(target):
            every = np.ones(len(values), dtype=bool)
            means, prior = smoothed_means(coded, values, every, self.smoothing)
            self.tables.append({text: float(means[position[text]]) for text in texts})
            self.priors.append(prior)
        return self

    def fit_transform(self, frame: pd.DataFrame, target: Array) -> Array:
        """Learn from all rows, answer each row out of fold."""
        self.fit(frame, target)
        coded = coded_column(frame, self.column)
        features = [self._out_of_fold(coded, values) for values in self._targets(target)]
        return np.column_stack(features).astype(np.float32)

    def build(self, operations: Operations[T]) -> T:
        """Look the means up; unseen categories get the overall mean."""
        column = operations.column(self.column)
        pairs = zip(self.tables, self.priors, strict=True)
        return operations.concatenate(
            [operations.lookup(column, table, prior) for table, prior in pairs]
        )

    def _targets(self, target: Array) -> list[Array]:
        values = [target if code < 0 else target == code for code in self.codes]
        return [value.astype(np.float64) for value in values]

    def _out_of_fold(self, coded: Coded, values: Array) -> Array:
        folds = np.random.default_rng(0).permutation(len(values)) % TARGET_FOLDS
        found = np.empty(len(values))
        for fold in range(TARGET_FOLDS):
            held = folds == fold
            means, _ = smoothed_means(coded, values, ~held, self.smoothing)
            found[held] = means[coded.codes[held]]
        return found


class Ratios(FeatureStep):
    """One number divided by another; NaN where the divisor is zero."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs, self.names = list(pairs), [f"{one} / {other}" for one, other in pairs]
        self.reads = names_in(pairs)

    def narrowed(self, positions: Array) -> FeatureStep:
        """Compute fewer pairs."""
        return Ratios([self.pairs[position] for position in positions])

    def build(self, operations: Operations[T]) -> T:
        """Divide all pairs at once."""
        above, below = side_by_side(operations, self.pairs)
        by_zero = operations.equal(below, operations.constant(ZERO))
        ratios = operations.divide(above, below)
        return bounded(operations, operations.where(by_zero, operations.constant(NAN), ratios))


class Products(FeatureStep):
    """One number times another; a number with itself gives its square."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.pairs, self.names = list(pairs), [f"{one} * {other}" for one, other in pairs]
        self.reads = names_in(pairs)

    def narrowed(self, positions: Array) -> FeatureStep:
        """Compute fewer pairs."""
        return Products([self.pairs[position] for position in positions])

    def build(self, operations: Operations[T]) -> T:
        """Multiply all pairs at once."""
        return bounded(operations, operations.multiply(*side_by_side(operations, self.pairs)))


def names_in(pairs: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """List every name of the pairs once."""
    return tuple(dict.fromkeys(name for pair in pairs for name in pair))


def coded_column(frame: pd.DataFrame, column: str) -> Coded:
    """Read a category column as texts and codes."""
    coded: Coded = NumpyOperations(frame).column(column)
    return coded


def frequent_texts(frame: pd.DataFrame, column: str, most: int) -> list[str]:
    """List the texts that occur, most frequent first, ties by the text itself."""
    coded = coded_column(frame, column)
    counts = np.bincount(coded.codes % len(coded.texts), minlength=len(coded.texts))
    total: dict[str, int] = {}
    for text, count in zip(coded.texts, counts.tolist(), strict=True):
        total[text] = total.get(text, 0) + count
    seen = [text for text, count in total.items() if count]
    return sorted(seen, key=lambda text: (-total[text], text))[:most]


def smoothed_means(
    coded: Coded, values: Array, rows: Array, smoothing: float
) -> tuple[Array, float]:
    """Return the mean per text, drawn towards the overall mean as if by `smoothing` more rows."""
    size = len(coded.texts)
    codes = coded.codes[rows] % size
    prior = float(values[rows].mean()) if rows.any() else 0.0
    sums = np.bincount(codes, weights=values[rows], minlength=size)
    counts = np.bincount(codes, minlength=size)
    return (sums + smoothing * prior) / (counts + smoothing), prior


def integer(operations: Operations[T], value: int) -> T:
    """Make an int64 constant."""
    return operations.constant(np.full((1, 1), value, dtype=np.int64))


def side_by_side(operations: Operations[T], pairs: Sequence[tuple[str, str]]) -> tuple[T, T]:
    """Return the first columns of all pairs, and the second ones."""
    first = operations.concatenate([operations.column(one) for one, _ in pairs])
    second = operations.concatenate([operations.column(other) for _, other in pairs])
    return first, second


def bounded(operations: Operations[T], values: T) -> T:
    """Make values beyond 1e18 missing, so that no estimator meets infinity."""
    large = operations.greater(operations.absolute(values), operations.constant(LARGEST))
    return operations.where(large, operations.constant(NAN), values)
