"""The rows that an answer is compared with when it is explained: a few of those trained on.

They lie in a file of their own beside the artifact. Explanations say means over all of them, never
a row, and prose, which may name people, is not kept: a text is compared with none.
"""

import math
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict

from noria.common.arrays import Array
from noria.core.data.dataset import Dataset, Kind, empty_value, is_missing, typed
from noria.core.model.signature import Signature

BACKGROUND = "background.json"
MOST_ROWS, MOST_CELLS = 64, 20_000  # beyond 312 columns there are fewer rows

Cell = float | str | None


class BackgroundRows(BaseModel):
    """A value per row and column, null where it is missing; times are epoch seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, tuple[Cell, ...]]
    rows: int

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        """Take rows at even distances, so that all times and parts of a file are among them."""
        most = min(MOST_ROWS, max(2, MOST_CELLS // max(1, len(dataset.columns))), len(dataset))
        places = np.linspace(0, max(0, len(dataset) - 1), most).astype(np.int64)
        columns = {
            column.name: _cells(column.kind, dataset.data[column.name][places])
            for column in dataset.columns
            if column.kind != "text"
        }
        return cls(columns=columns, rows=most)

    def arrays(self, signature: Signature) -> dict[str, Array]:
        """The rows as the model takes them, an array of shape (rows,) per column."""
        found = {}
        for field in signature.columns:
            empty = empty_value(field.kind)
            cells = self.columns.get(field.name, (None,) * self.rows)
            values = [empty if cell is None else cell for cell in cells]
            found[field.name] = typed(field.kind, values, field.double)
        return found


def _cells(kind: Kind, values: Array) -> tuple[Cell, ...]:
    """Values as JSON has them: a number as the shortest text that is it."""
    if kind == "number":
        numbers = (float(str(value)) for value in values)
        return tuple(None if math.isnan(number) else number for number in numbers)
    missing = is_missing(kind, values)
    return tuple(
        None if gone else value for gone, value in zip(missing, values.tolist(), strict=True)
    )
