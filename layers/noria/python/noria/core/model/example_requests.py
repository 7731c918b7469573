"""Example requests, made from rows that the model did not learn from."""

import math
from datetime import UTC, datetime
from typing import Any

from noria.core.data.dataset import TEXTUAL, Dataset, is_missing
from noria.core.model.signature import Signature

ROWS = 3


def sample_rows(dataset: Dataset, signature: Signature, rows: int = ROWS) -> list[dict[str, Any]]:
    """The last rows of a dataset as request rows; what is missing there is null.

    Rows whose history is looked up carry their entity's key.
    """
    first = max(len(dataset) - rows, 0)
    keys = signature.history.examples[-rows:] if signature.history else ()
    named: list[dict[str, Any]] = [{}] * (len(dataset) - first - len(keys))
    named += [dict(key) for key in keys]
    return [
        {field.name: _value(field.kind, dataset, field.name, row) for field in signature.asked}
        | named[row - first]
        for row in range(first, len(dataset))
    ]


def _value(kind: str, dataset: Dataset, name: str, row: int) -> Any:
    values = dataset.data[name][row : row + 1]
    if is_missing(kind, values)[0]:  # type: ignore[arg-type]
        return None
    if kind == "timestamp":
        return datetime.fromtimestamp(int(values[0]), UTC).isoformat().replace("+00:00", "Z")
    if kind in TEXTUAL:
        return str(values[0])
    number = float(str(values[0]))  # the shortest text that is this float32
    return int(number) if math.isfinite(number) and number.is_integer() else number
