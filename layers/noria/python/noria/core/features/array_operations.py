"""The few array operations that features are made of, stated once for training and serving.

A step writes its formula against `Operations`. `NumpyOperations` computes it at training time;
`noria.core.training.onnx_export.OnnxOperations` records the same formula as ONNX nodes. Values are
columns of shape (n, 1): float32, int64, float64 (by `exact` alone), or texts; `hashed_words` gives
a matrix of int64.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from noria.common.arrays import Array
from noria.core.data.dataset import MISSING_CATEGORY
from noria.core.data.precision import to_single
from noria.core.features.word_hashing import word_hash

T = TypeVar("T")


class Operations(Protocol, Generic[T]):
    """What a step may do to columns; both implementations give the same bits."""

    def column(self, name: str) -> T:
        """Return a raw column; one of doubles rounded to float32."""

    def exact(self, name: str) -> T:
        """Return a raw column of doubles as it is."""

    def constant(self, values: Array) -> T:
        """Return a constant that broadcasts over the rows."""

    def lookup(self, category: T, table: Mapping[str, float], default: float) -> T:
        """Map category texts to float32 numbers, unknown texts to the default."""

    def hashed_words(self, text: T) -> T:
        """MurmurHash3 of the words of plain text (`core.data.text_normalization`).

        Shape (n, m), int64; 0 where there is no word.
        """

    def tally(self, positions: T, width: int) -> T:
        """Count per row how often each position from 0 to `width` - 1 occurs, as float32."""

    def from_column(self, one: T, start: int) -> T:
        """Leave out the first columns of a matrix."""

    def gather(self, table: Array, positions: T) -> T:
        """Pick entries of a constant table by int64 position."""

    def add(self, one: T, other: T) -> T:
        """Add."""

    def subtract(self, one: T, other: T) -> T:
        """Subtract."""

    def multiply(self, one: T, other: T) -> T:
        """Multiply."""

    def divide(self, one: T, other: T) -> T:
        """Divide; integers must not be negative, or must divide without remainder."""

    def modulo(self, one: T, other: T) -> T:
        """Remainder with the sign of the divisor."""

    def equal(self, one: T, other: T) -> T:
        """Compare for equality."""

    def greater(self, one: T, other: T) -> T:
        """Compare for greater."""

    def either(self, one: T, other: T) -> T:
        """Combine two conditions by or."""

    def both(self, one: T, other: T) -> T:
        """Combine two conditions by and."""

    def is_nan(self, one: T) -> T:
        """Mark NaN."""

    def absolute(self, one: T) -> T:
        """Absolute value."""

    def where(self, condition: T, yes: T, no: T) -> T:
        """Choose per row."""

    def clip(self, one: T, lowest: float, highest: float) -> T:
        """Limit values, none of which is NaN."""

    def take(self, one: T, columns: Array) -> T:
        """Pick columns of a matrix by position."""

    def row_sums(self, one: T) -> T:
        """Add up each row of a matrix of whole numbers that float32 counts exactly."""

    def to_float(self, one: T) -> T:
        """Convert to float32."""

    def to_integer(self, one: T) -> T:
        """Convert to int64."""

    def concatenate(self, columns: Sequence[T]) -> T:
        """Put columns beside each other."""


@dataclass(frozen=True)
class Coded:
    """A category column as distinct texts and one code per row."""

    texts: list[str]
    codes: NDArray[Any]


def as_category(values: Array) -> "pd.Series[Any]":
    """Code texts once, so that every step works on a few distinct texts."""
    codes, texts = pd.factorize(values.astype(object))
    index = pd.Index(texts, dtype=object)
    return pd.Series(pd.Categorical.from_codes(codes, categories=index))


class NumpyOperations:
    """Compute steps with numpy on the columns of a DataFrame."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame

    def column(self, name: str) -> Any:
        values = self._frame[name]
        if not isinstance(values.dtype, pd.CategoricalDtype):
            if values.dtype.kind in "if":
                numbers = np.asarray(values).reshape(-1, 1)
                return to_single(numbers) if numbers.dtype == np.float64 else numbers
            values = as_category(np.asarray(values, dtype=object))
        # A missing value has code -1, which picks the last text: the missing category.
        return Coded([*values.cat.categories, MISSING_CATEGORY], np.asarray(values.cat.codes))

    def exact(self, name: str) -> Any:
        return np.asarray(self._frame[name], dtype=np.float64).reshape(-1, 1)

    def constant(self, values: Array) -> Any:
        return values

    def lookup(self, category: Any, table: Mapping[str, float], default: float) -> Any:
        mapped = [table.get(text, default) for text in category.texts]
        return np.asarray(mapped, dtype=np.float32)[category.codes].reshape(-1, 1)

    def hashed_words(self, text: Any) -> Any:
        distinct = [np.array([word_hash(w) for w in t.split()], np.int64) for t in text.texts]
        longest = max((len(words) for words in distinct), default=0)
        table = np.zeros((len(distinct), longest + 1), dtype=np.int64)
        for row, words in enumerate(distinct):
            table[row, : len(words)] = words
        return table[text.codes]

    def tally(self, positions: Any, width: int) -> Any:
        rows = len(positions)
        cells = positions + np.arange(rows, dtype=np.int64).reshape(-1, 1) * width
        counts = np.bincount(cells.ravel(), minlength=rows * width)
        return counts.reshape(rows, width).astype(np.float32)

    def from_column(self, one: Any, start: int) -> Any:
        return one[:, start:]

    def gather(self, table: Array, positions: Any) -> Any:
        return table[positions]

    def add(self, one: Any, other: Any) -> Any:
        return one + other

    def subtract(self, one: Any, other: Any) -> Any:
        return one - other

    def multiply(self, one: Any, other: Any) -> Any:
        with np.errstate(over="ignore", under="ignore"):
            return one * other

    def divide(self, one: Any, other: Any) -> Any:
        with np.errstate(all="ignore"):
            return one // other if one.dtype.kind == "i" else one / other

    def modulo(self, one: Any, other: Any) -> Any:
        return one % other

    def equal(self, one: Any, other: Any) -> Any:
        return one == other

    def greater(self, one: Any, other: Any) -> Any:
        return one > other

    def either(self, one: Any, other: Any) -> Any:
        return one | other

    def both(self, one: Any, other: Any) -> Any:
        return one & other

    def is_nan(self, one: Any) -> Any:
        return np.isnan(one)

    def absolute(self, one: Any) -> Any:
        return np.abs(one)

    def where(self, condition: Any, yes: Any, no: Any) -> Any:
        return np.where(condition, yes, no)

    def clip(self, one: Any, lowest: float, highest: float) -> Any:
        return np.clip(one, np.float32(lowest), np.float32(highest))

    def take(self, one: Any, columns: Array) -> Any:
        return one[:, columns]

    def row_sums(self, one: Any) -> Any:
        return one.sum(axis=1, keepdims=True)

    def to_float(self, one: Any) -> Any:
        return one.astype(np.float32)

    def to_integer(self, one: Any) -> Any:
        return one.astype(np.int64)

    def concatenate(self, columns: Sequence[Any]) -> Any:
        return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)
