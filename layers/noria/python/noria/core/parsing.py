"""Parsers for the file formats of a source: CSV, Parquet and JSON, by way of Arrow."""

import csv
import io
import json
import re
from collections import Counter
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as arrow_parquet

from noria.core.naming import listed
from noria.errors import DataError

DELIMITERS = ",;\t|"
MISSING_TEXTS = (
    "",
    "NA",
    "N/A",
    "#N/A",
    "n/a",
    "NULL",
    "null",
    "NaN",
    "nan",
    "-nan",
    "None",
    "<NA>",
)
BLOCK_BYTES = 8 * 1024**2
RAGGED_SHOWN = 5
LARGEST_WHOLE = 2.0**53  # above it a float no longer counts by one
BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


def decoded(content: bytes, name: str) -> str:
    """Decode UTF-8 (or UTF-16 with a byte order mark); DataError gives the first bad byte."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _decoded(content[len(mark) :], encoding, name, len(mark))
    return _decoded(content, "utf-8", name, 0)


def _decoded(content: bytes, encoding: str, name: str, skipped: int) -> str:
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name} is not {encoding.upper()} text: byte {error.start + skipped} "
            f"(0x{content[error.start]:02x}, line {line}) cannot be read. Save it as UTF-8."
        ) from error
    if "\x00" in text[:4096]:
        raise DataError(f"{name} holds NUL bytes: it is binary or UTF-16; save it as UTF-8 text")
    return text


def read_csv(content: bytes, name: str) -> pd.DataFrame:
    """Read CSV whose delimiter is a comma, semicolon, tab or bar; types are inferred.

    Raises DataError for text that is not UTF-8, bad column names, no rows and ragged rows.
    """
    text = decoded(content, name)
    if not text.strip():
        raise DataError(f"{name} holds only white space: upload the table again")
    delimiter = sniffed_delimiter(text)
    names = _header(text, delimiter, name)
    plain = content if not content.startswith((b"\xff\xfe", b"\xfe\xff")) else text.encode()
    table, ragged = _parsed_csv(plain, delimiter, name, threads=True)
    if ragged:  # row numbers are known to the parser only in one thread
        _, ragged = _parsed_csv(plain, delimiter, name, threads=False)
        raise _ragged_error(name, ragged)
    if table.num_rows == 0:
        raise DataError(f"{name} has a header ({listed(names, 5)}) but no rows: add the data")
    return to_pandas(table.rename_columns(names), name)


def sniffed_delimiter(text: str) -> str:
    """Choose the delimiter that splits the first lines most evenly, a comma in doubt."""
    lines = [line for line in text[:65536].splitlines()[:50] if line.strip()]
    if len(text) > 65536 and len(lines) > 1:
        lines = lines[:-1]

    def evenness(delimiter: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=delimiter) if row)
        width, count = widths.most_common(1)[0]
        return (count / widths.total() if width > 1 else 0.0, width)

    try:
        return max(DELIMITERS, key=evenness)
    except csv.Error:  # a field beyond csv's limit: no ordinary table, the parser will tell
        return ","


def _header(text: str, delimiter: str, name: str) -> list[str]:
    start = io.StringIO(text[: 1024**2].lstrip("\r\n"), newline="")
    try:
        names = [column.strip() for column in next(csv.reader(start, delimiter=delimiter))]
    except csv.Error as error:
        raise DataError(f"{name} has no readable header ({error}): name its columns") from error
    check_names(names, name)
    return names


def check_names(names: list[str], name: str) -> None:
    """Refuse empty and repeated column names."""
    empty = [str(position) for position, column in enumerate(names, 1) if not column]
    if empty:
        raise DataError(
            f"{name}: column {listed(empty, 5)} of {len(names)} has no name: name it in the "
            "header, or save the table without its row index"
        )
    repeated = [column for column, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(f"{name} has more than one column {listed(repeated, 5)}: rename them")


def _parsed_csv(
    content: bytes, delimiter: str, name: str, *, threads: bool
) -> tuple[pa.Table, list[Any]]:
    ragged: list[Any] = []

    def keep(row: Any) -> str:
        ragged.append(row)
        return "skip"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=threads),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=b'"' in content,
                invalid_row_handler=keep,
            ),
            convert_options=arrow_csv.ConvertOptions(
                null_values=list(MISSING_TEXTS), strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid as error:
        raise DataError(f"{name} is not a readable CSV table: {error}") from error
    return table, ragged


def _ragged_error(name: str, ragged: list[Any]) -> DataError:
    rows = listed([f"{row.number} ({row.actual_columns} fields)" for row in ragged], RAGGED_SHOWN)
    return DataError(
        f"{name}: {len(ragged)} rows have not the header's {ragged[0].expected_columns} fields: "
        f"line {rows}. Quote values that hold the delimiter, and complete short rows."
    )


def read_parquet(content: bytes, name: str) -> pd.DataFrame:
    """Read a Parquet file; DataError for damage, nested columns and no rows."""
    try:
        table = arrow_parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{name} is a damaged Parquet file ({error}): upload it again") from error
    index = [
        column for column in table.column_names if re.fullmatch(r"__index_level_\d+__", column)
    ]
    table = table.drop_columns(index)
    check_names([column.strip() for column in table.column_names], name)
    if table.num_rows == 0:
        raise DataError(f"{name} has columns ({listed(table.column_names, 5)}) but no rows")
    return to_pandas(table.rename_columns([c.strip() for c in table.column_names]), name)


def read_json(content: bytes, name: str) -> pd.DataFrame:
    """Read JSON: an array of objects, or one object per line."""
    text = decoded(content, name).strip()
    records = _json_array(text, name) if text.startswith("[") else _json_lines(text, name)
    if not records:
        raise DataError(f"{name} holds no records: add the data")
    frame = pd.DataFrame(records)
    frame.columns = pd.Index([str(column).strip() for column in frame.columns])
    check_names(list(frame.columns), name)
    for column in frame.columns:
        if frame[column].map(lambda value: isinstance(value, dict | list)).any():
            raise _nested_error(name, column)
    return frame.apply(_plain_column)


def _plain_column(values: pd.Series) -> pd.Series:
    """Turn a column of mixed JSON values into text; booleans with nulls stay as they are."""
    values = values.infer_objects()
    if values.dtype != object:
        return values
    present = values.dropna()
    if present.map(lambda value: isinstance(value, bool)).all():
        return values.where(values.notna(), None)
    if present.map(lambda value: isinstance(value, int | float)).all():
        return pd.to_numeric(values.where(values.notna(), None), errors="coerce").astype("float64")
    return values.map(_json_text).astype("str")


def _json_text(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if pd.isna(value) else str(value)


def _json_array(text: str, name: str) -> list[dict[str, Any]]:
    try:
        records = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{name} is not valid JSON: {error}") from error
    return [_record(item, f"{name}, record {number}") for number, item in enumerate(records, 1)]


def _json_lines(text: str, name: str) -> list[dict[str, Any]]:
    records = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            records.append(_record(json.loads(line), f"{name}, line {number}"))
        except (json.JSONDecodeError, RecursionError) as error:
            raise DataError(
                f"{name}, line {number} is not valid JSON ({error}): write one object per line, "
                "or one array of objects"
            ) from error
    return records


def _record(item: Any, place: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise DataError(f"{place} is not an object but {type(item).__name__}: name its fields")
    return item


def _nested_error(name: str, column: str) -> DataError:
    return DataError(f"{name}: column {column!r} is nested: flatten it into plain columns")


def to_pandas(table: pa.Table, name: str) -> pd.DataFrame:
    """Convert an Arrow table to plain pandas types: numbers, text, booleans and timestamps."""
    columns = []
    for field in table.schema:
        kind = _plain_type(field.type, name, field.name)
        column = table[field.name]
        try:
            columns.append(column if kind == field.type else column.cast(kind))
        except pa.ArrowInvalid as error:
            raise DataError(
                f"{name}: column {field.name!r} ({field.type}) cannot be read as {kind}: {error}"
            ) from error
    plain = pa.table(columns, names=table.column_names)
    frame: pd.DataFrame = plain.to_pandas(ignore_metadata=True)
    return frame


def _plain_type(kind: Any, name: str, column: str) -> Any:
    """Choose the plain Arrow type that a column is converted to."""
    types = pa.types
    if types.is_nested(kind):
        raise _nested_error(name, column)
    if types.is_dictionary(kind):
        return _plain_type(kind.value_type, name, column)
    if types.is_date(kind):
        return pa.timestamp("s")
    if types.is_decimal(kind) or types.is_float16(kind):
        return pa.float64()
    if types.is_duration(kind):
        return pa.int64()
    if types.is_time(kind) or types.is_binary(kind) or types.is_large_binary(kind):
        return pa.string()
    return kind


def as_text(values: pd.Series) -> pd.Series:
    """Write values as text: whole numbers without a point, booleans as true and false."""
    if pd.api.types.is_float_dtype(values):
        present = values.dropna()
        if len(present) and (present.abs() < LARGEST_WHOLE).all() and (present % 1 == 0).all():
            values = values.astype("Int64")
    if pd.api.types.is_bool_dtype(values):
        return values.map({True: "true", False: "false"}).astype("str")
    if isinstance(values.dtype, pd.StringDtype):
        return values
    missing = values.isna()
    return values.astype("object").astype("str").mask(missing, None)
