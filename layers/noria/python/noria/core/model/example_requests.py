"""Example requests, made from a dataset's rows."""

from datetime import UTC, datetime
from typing import Any

from noria.core.data.dataset import TEXTUAL, Dataset, is_missing
from noria.core.model.signature import Field, Signature, Value

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
        {field.name: request_value(field, dataset, row) for field in signature.asked}
        | named[row - first]
        for row in range(first, len(dataset))
    ]


def request_value(field: Field, dataset: Dataset, row: int) -> Value:
    """A value as a request carries it, in the type that it had in the data."""
    values = dataset.data[field.name][row : row + 1]
    if is_missing(field.kind, values)[0]:
        return None
    if field.kind == "timestamp":
        return datetime.fromtimestamp(int(values[0]), UTC).isoformat().replace("+00:00", "Z")
    if field.kind in TEXTUAL:
        return field.plain(str(values[0]))
    number = field.plain(float(str(values[0])))  # the shortest text that is this float32
    return int(number) if isinstance(number, float) and number.is_integer() else number
