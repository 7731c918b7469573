"""Putting the tables of one source one below another, whatever types each was read with."""

from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as pa

from noria.common.messages import comma_list
from noria.core.ingestion import raw_text
from noria.errors import DataError

_INTEGER = pa.types.is_integer


def unified(schemas: Sequence[tuple[str, pa.Schema]]) -> pa.Schema:
    """The schema that all tables can be written with; the columns' order is the first table's.

    A column that is text in one table and something else in another becomes text. Raises
    DataError when a table's columns differ from the first one's.
    """
    first_name, first = schemas[0]
    for name, schema in schemas[1:]:
        _check_same_columns(first_name, first.names, name, schema.names)
    return pa.schema(
        [(column, _common([schema.field(column).type for _, schema in schemas]))
         for column in first.names]
    )  # fmt: skip


def conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table's columns in a schema's order and with its types; times to the microsecond.

    Raises DataError for whole numbers that a float cannot hold.
    """
    columns = [_cast(table[field.name], field.type, field.name) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def to_table(frame: pd.DataFrame) -> pa.Table:
    """A frame as an Arrow table of the types that its columns have."""
    return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)


def _cast(column: pa.ChunkedArray, kind: pa.DataType, name: str) -> pa.ChunkedArray:
    if column.type == kind:
        return column
    if pa.types.is_null(column.type):
        return pa.chunked_array([pa.nulls(len(column), kind)])
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = raw_text.values_as_text(column.to_pandas())
        return pa.chunked_array([pa.Array.from_pandas(text, type=kind)])
    try:
        return column.cast(kind, safe=not pa.types.is_timestamp(kind))
    except pa.ArrowInvalid as error:
        raise DataError(
            f"column {name!r} holds whole numbers beyond 2**53 in one file, and decimals or "
            f"missing values in another, where they would lose digits ({error}): write it alike "
            "in all files, or with a letter in front where it is a name"
        ) from error


def _common(kinds: Iterable[pa.DataType]) -> pa.DataType:
    found = {kind for kind in kinds if not pa.types.is_null(kind)}
    if len(found) < 2:
        return found.pop() if found else pa.null()
    if all(_INTEGER(kind) for kind in found):
        return pa.int64()
    if all(_INTEGER(kind) or pa.types.is_floating(kind) for kind in found):
        return pa.float64()
    zones = {kind.tz for kind in found if pa.types.is_timestamp(kind)}
    if all(pa.types.is_timestamp(kind) for kind in found) and len(zones) == 1:
        return pa.timestamp("us", zones.pop())
    return pa.large_string()


def _check_same_columns(
    first_name: str, first: Sequence[str], name: str, columns: Sequence[str]
) -> None:
    missing = [column for column in first if column not in columns]
    extra = [column for column in columns if column not in first]
    if not missing and not extra:
        return
    parts = [f"lacks {comma_list(missing)}"] if missing else []
    parts += [f"also has {comma_list(extra)}"] if extra else []
    raise DataError(
        f"{name} has other columns than {first_name}: it {' and '.join(parts)}. "
        "Give the files of one source the same columns."
    )
