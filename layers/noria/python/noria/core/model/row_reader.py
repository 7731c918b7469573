"""Request rows as the inputs of a model's graph, read column by column."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from noria.common.arrays import Array
from noria.core.model.request_fields import refuse_unknown_fields
from noria.core.model.request_preprocessing import preprocess_column
from noria.core.model.request_values import LARGEST, request_column
from noria.core.model.signature import Field, Signature, input_name
from noria.errors import RequestError

Row = Mapping[str, Any]
MOST_TEXTS = 10_000  # that are remembered of a category
_NUMBERS, _TEXTS = {int, float, type(None)}, {str, type(None)}


class RowReader:
    """Reads rows as `request_column` and `preprocess_column` do, most of them in a few calls.

    Numbers of one precision are read as a table, and a category's text once in the life of the
    process. What is not as usual is read value by value, and refused with its row and field.
    """

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._inputs = [(field, input_name(field.name)) for field in signature.columns]
        self._plain = [field for field in signature.columns if _is_plain(field)]
        self._names = [field.name for field in self._plain]
        self._fills = np.array(
            [np.nan if field.fill is None else field.fill for field in self._plain], np.float32
        )
        self._texts: dict[str, dict[Any, str]] = {
            field.name: {} for field in signature.columns if field.kind == "category"
        }

    def inputs(self, rows: Sequence[Row]) -> dict[str, Array]:
        """Return arrays of shape (n, 1) by input name; RequestError where a row does not fit."""
        refuse_unknown_fields(rows, self._signature)
        numbers = self._numbers(rows)
        return {
            name: numbers[field.name]
            if field.name in numbers
            else self._column(field, [row.get(field.name) for row in rows])
            for field, name in self._inputs
        }

    def _numbers(self, rows: Sequence[Row]) -> dict[str, Array]:
        """The usual columns of numbers; none of them where any has a value of another kind."""
        if not self._names:
            return {}
        table = [tuple(map(row.get, self._names)) for row in rows]
        found = set(map(type, chain.from_iterable(table)))
        if not found <= _NUMBERS:
            return {}
        try:
            doubles = np.array(table, dtype=np.float64)
        except OverflowError:  # Python integers can be larger than every float
            return {}
        within = np.count_nonzero(np.abs(doubles) <= LARGEST[32])
        missing = sum(row.count(None) for row in table) if type(None) in found else 0
        if within + missing != doubles.size:
            return {}
        singles = doubles.T.astype(np.float32, order="C")
        known = np.where(np.isnan(singles), self._fills[:, np.newaxis], singles)
        return dict(zip(self._names, known[:, :, np.newaxis], strict=True))

    def _column(self, field: Field, values: list[Any]) -> Array:
        if field.kind == "category":
            texts = self._category(field, values)
            if texts is not None:
                return np.array(texts, dtype=np.object_).reshape(-1, 1)
        return _read(field, values).reshape(-1, 1)

    def _category(self, field: Field, values: list[Any]) -> list[str] | None:
        """The texts that the graph takes; None where one is refused, or a value is no text."""
        known = self._texts[field.name]
        try:
            return list(map(known.__getitem__, values))
        except (KeyError, TypeError):  # something new, such as a list, which is no key
            if not set(map(type, values)) <= _TEXTS:
                return None
        if len(known) > MOST_TEXTS:
            known.clear()
        new = [value for value in {*values} if value not in known]
        if new:
            try:
                known |= zip(new, _read(field, new).tolist(), strict=True)
            except RequestError:
                return None
        return list(map(known.__getitem__, values))


def to_columns(rows: Sequence[Row], signature: Signature) -> dict[str, Array]:
    """Convert request rows to dataset columns; a field left out or null is a missing value."""
    refuse_unknown_fields(rows, signature)
    return {
        field.name: request_column([row.get(field.name) for row in rows], field)
        for field in signature.columns
    }


def _is_plain(field: Field) -> bool:
    """Whether a field takes numbers alone, in single precision."""
    notation = field.notation
    special = notation.boolean or notation.missing_numbers or field.double
    return field.kind == "number" and not special


def _read(field: Field, values: Sequence[Any]) -> Array:
    return preprocess_column(field, request_column(values, field))
