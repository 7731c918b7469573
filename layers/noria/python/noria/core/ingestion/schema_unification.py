"""Putting the tables of one source one below another, whatever types each was read with."""

from collections.abc import Iterable, Sequence

import pandas as pd
import pyarrow as pa

from noria.common.messages import comma_list
from noria.core.ingestion import raw_text
from noria.core.ingestion.exact_values import decimal_texts
from noria.errors import DataError

_INTEGER = pa.types.is_integer
INTEGER_DIGITS = 19  # of a 64-bit integer
MOST_DIGITS = 76  # of Arrow's decimals
SHOWN = 10


def unified(schemas: Sequence[tuple[str, pa.Schema]]) -> pa.Schema:
    """The schema that all tables can be written with: the first table's columns, then others.

    A column that is text in one table and something else in another becomes text; one that a table
    lacks is missing in its rows. Raises DataError when a table shares too few columns with the
    first one to be the same table.
    """
    first_name, first = schemas[0]
    for name, schema in schemas[1:]:
        _check_columns(first_name, first.names, name, schema.names)
    names = dict.fromkeys(column for _, schema in schemas for column in schema.names)
    known = [schema for _, schema in schemas]
    return pa.schema(
        [(column, _common([one.field(column).type for one in known if column in one.names]))
         for column in names]
    )  # fmt: skip


def differing_columns(schemas: Sequence[tuple[str, pa.Schema]]) -> list[str]:
    """Say which tables have columns that the first one has not, or lack some that it has."""
    first_name, first = schemas[0]
    groups: dict[str, list[str]] = {}
    for name, schema in schemas[1:]:
        told = _difference(first.names, schema.names)
        if told:
            groups.setdefault(told, []).append(name)
    return [
        f"{comma_list(names, SHOWN)} {told} (beside {first_name}): missing where a file has it not"
        for told, names in groups.items()
    ]


def conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """A table's columns in a schema's order and with its types; times to the microsecond.

    Raises DataError for whole numbers that a float cannot hold.
    """
    columns = [
        _cast(table[field.name], field.type, field.name)
        if field.name in table.column_names
        else pa.chunked_array([pa.nulls(len(table), field.type)])
        for field in schema
    ]
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
        if pa.types.is_decimal(column.type):
            return decimal_texts(column).cast(kind)
        if pa.types.is_integer(column.type) or pa.types.is_string(column.type):
            return column.cast(kind)
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
    if all(_INTEGER(kind) or pa.types.is_decimal(kind) for kind in found):
        return _decimal(found)
    zones = {kind.tz for kind in found if pa.types.is_timestamp(kind)}
    if all(pa.types.is_timestamp(kind) for kind in found) and len(zones) == 1:
        return pa.timestamp("us", zones.pop())
    return pa.large_string()


def _decimal(kinds: Iterable[pa.DataType]) -> pa.DataType:
    """Decimals with the most digits before the point, and behind it, of several."""
    wholes = [kind.precision - kind.scale for kind in kinds if not _INTEGER(kind)]
    scale = max(kind.scale for kind in kinds if not _INTEGER(kind))
    whole = max([*wholes, *(INTEGER_DIGITS for kind in kinds if _INTEGER(kind))])
    precision = whole + scale
    if precision > MOST_DIGITS:
        return pa.large_string()
    return pa.decimal128(precision, scale) if precision <= 38 else pa.decimal256(precision, scale)


def _check_columns(
    first_name: str, first: Sequence[str], name: str, columns: Sequence[str]
) -> None:
    """Refuse a table that is another one: neither has all of the other's columns, nor most."""
    shared = len({*first} & {*columns})
    if shared in (len(first), len(columns)) or shared * 2 > max(len(first), len(columns)):
        return
    raise DataError(
        f"{name} has other columns than {first_name}: it {_difference(first, columns)}. "
        "Give the files of one source the same columns."
    )


def _difference(first: Sequence[str], columns: Sequence[str]) -> str:
    missing = [column for column in first if column not in columns]
    extra = [column for column in columns if column not in first]
    parts = [f"lacks {comma_list(missing, SHOWN)}"] if missing else []
    parts += [f"also has {comma_list(extra, SHOWN)}"] if extra else []
    return " and ".join(parts)
