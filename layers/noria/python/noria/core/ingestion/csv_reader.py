"""CSV and its kin: delimiters found, types inferred by Arrow, what is wrong named by its line."""

import csv
import io
from collections import Counter
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from noria.common.messages import comma_list
from noria.core.ingestion.marked_numbers import with_numbers
from noria.core.ingestion.parquet_reader import to_pandas
from noria.core.ingestion.raw_text import check_names, decoded
from noria.errors import DataError

CONTENT: tuple[str, ...] = ()
"""What `archives.recognised` says of such files: nothing, as they are text."""
DELIMITERS = ",;\t|"
OTHER_DELIMITERS = "^~¦\x01\x1f"
BLOCK_BYTES = 8 * 1024**2
PROBED_CHARACTERS, PROBED_LINES = 65536, 50
SHOWN = 5


def read_csv(content: bytes, name: str) -> pd.DataFrame:
    """Read CSV whose delimiter is a comma, semicolon, tab or bar; types are inferred.

    Numbers with decimal commas or thousands separators stay texts: which is which is told by all
    rows of a source, in cleansing.

    Raises DataError for text that is not UTF-8, bad column names, no rows, ragged rows, open
    quotes, an unknown delimiter and repeated headers.
    """
    text = decoded(content, name)
    if not text.strip():
        raise DataError(f"{name} holds only white space: upload the table again")
    delimiter = sniffed_delimiter(text)
    names = _header(text, delimiter, name)
    _check_quotes(text, delimiter, name, only_odd=True)
    plain = content if not content.startswith((b"\xff\xfe", b"\xfe\xff")) else text.encode()
    table = _whole_csv(plain, text, delimiter, names, name)
    if table.num_rows == 0:
        raise _no_rows(names, name)
    _check_delimiter(text, names, name)
    _check_repeated_header(table, names, name)
    return to_pandas(with_numbers(table.rename_columns(names)), name)


def _no_rows(names: list[str], name: str) -> DataError:
    return DataError(f"{name} has a header ({comma_list(names, SHOWN)}) but no rows: add the data")


def _probed(text: str) -> list[str]:
    lines = [line for line in text[:PROBED_CHARACTERS].splitlines()[:PROBED_LINES] if line.strip()]
    return lines[:-1] if len(text) > PROBED_CHARACTERS and len(lines) > 1 else lines


def sniffed_delimiter(text: str) -> str:
    """Choose the delimiter that splits the first lines most evenly, a comma in doubt."""
    lines = _probed(text)

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


def _check_quotes(text: str, delimiter: str, name: str, *, only_odd: bool) -> None:
    """Refuse a quote that is not closed: it would swallow the rows behind it."""
    if only_odd and text.count('"') % 2 == 0:
        return
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for _ in reader:
            line = reader.line_num + 1
    except csv.Error as error:
        rest = text.splitlines()[line - 1 :]
        if not lines.readline() and sum(row.count('"') for row in rest) % 2:
            raise DataError(
                f"{name}, line {line}: a quote is opened and never closed, which takes the rest "
                "of the file into one value: close it, or leave it out"
            ) from error
        raise DataError(
            f"{name}, line {line} cannot be read ({error}): double the quotes within a value "
            f'(""), and keep values below {csv.field_size_limit()} characters'
        ) from error


def _whole_csv(content: bytes, text: str, delimiter: str, names: list[str], name: str) -> pa.Table:
    try:
        table, ragged = _parsed_csv(content, delimiter, threads=True)
        if ragged:  # row numbers are known to the parser only in one thread
            _, ragged = _parsed_csv(content, delimiter, threads=False)
            _check_quotes(text, delimiter, name, only_odd=False)
            raise _ragged_error(name, ragged)
    except pa.ArrowInvalid as error:
        if len(text.strip().splitlines()) == 1:
            raise _no_rows(names, name) from error
        _check_quotes(text, delimiter, name, only_odd=False)
        raise DataError(
            f"{name} is not a readable CSV table ({error}): export the table as CSV again"
        ) from error
    return table


def _parsed_csv(content: bytes, delimiter: str, *, threads: bool) -> tuple[pa.Table, list[Any]]:
    ragged: list[Any] = []

    def keep(row: Any) -> str:
        ragged.append(row)
        return "skip"

    table = arrow_csv.read_csv(
        pa.BufferReader(content),
        read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=threads),
        parse_options=arrow_csv.ParseOptions(
            delimiter=delimiter, newlines_in_values=b'"' in content, invalid_row_handler=keep
        ),
        convert_options=arrow_csv.ConvertOptions(
            # Texts such as NA stay: which of them are values is for the contract to say.
            null_values=[""],
            strings_can_be_null=True,
        ),
    )
    return table, ragged


def _ragged_error(name: str, ragged: list[Any]) -> DataError:
    rows = comma_list([f"{row.number} ({row.actual_columns} fields)" for row in ragged], SHOWN)
    return DataError(
        f"{name}: {len(ragged)} rows have not the header's {ragged[0].expected_columns} fields: "
        f"line {rows}. Quote values that hold the delimiter, complete short rows, and leave out "
        "lines above the header."
    )


def _check_delimiter(text: str, names: list[str], name: str) -> None:
    """Refuse one column whose lines all hold another character equally often."""
    lines = _probed(text)
    if len(names) > 1 or len(lines) < 2:
        return
    for mark in OTHER_DELIMITERS:
        counts = {line.count(mark) for line in lines}
        if len(counts) == 1 and counts != {0}:
            raise DataError(
                f"{name} has one column {names[0]!r}, split by {mark!r} as it seems: separate "
                "columns by a comma, semicolon, tab or bar"
            )


def _check_repeated_header(table: pa.Table, names: list[str], name: str) -> None:
    """Refuse a header among the rows, as it comes from files put one behind another."""
    if not all(pa.types.is_string(kind) for kind in table.schema.types):
        return
    same = None
    for column, title in zip(table.columns, names, strict=True):
        equal = pc.equal(pc.utf8_trim_whitespace(column), title).fill_null(False)
        same = equal if same is None else pc.and_(same, equal)
    found = pc.indices_nonzero(same).to_pylist()
    if found:
        rows = comma_list([str(position + 1) for position in found], SHOWN)
        raise DataError(
            f"{name} repeats its header among the rows, as row {rows} below it: leave those out"
        )
