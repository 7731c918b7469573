"""CSV and its kin: delimiters found, types inferred by Arrow, what is wrong named by its line."""

import csv
import io
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from noria.common.messages import comma_list
from noria.core.ingestion.csv_rows import even_rows
from noria.core.ingestion.exact_columns import lossless
from noria.core.ingestion.file_table import FileTable
from noria.core.ingestion.marked_numbers import with_numbers
from noria.core.ingestion.plain_types import plain_table
from noria.core.ingestion.raw_text import check_names, decoded
from noria.errors import DataError

CONTENT: tuple[str, ...] = ()
"""What `archives.recognised` says of such files: nothing, as they are text."""
DELIMITERS = ",;\t|"
OTHER_DELIMITERS = "^~¦\x01\x1f"
BLOCK_BYTES = 8 * 1024**2
PROBED_CHARACTERS, PROBED_LINES = 65536, 50
SHOWN = 5


def read_csv(content: bytes, name: str, exact: Collection[str] = ()) -> FileTable:
    """Read CSV whose delimiter is a comma, semicolon, tab or bar; types are inferred.

    Numbers with decimal commas or thousands separators stay texts: which is which is told by all
    rows of a source, in cleansing. So do codes such as 0123, digits beyond a double, and texts of
    the columns in `exact` that a number would not bring back. Columns with neither name nor value
    are left out.

    Raises DataError for text that is not UTF-8, bad column names, no rows, ragged rows, open
    quotes, an unknown delimiter and repeated headers.
    """
    text = decoded(content, name)
    if not text.strip():
        raise DataError(f"{name} holds only white space: upload the table again")
    delimiter = sniffed_delimiter(text)
    titles = _header(text, delimiter, name)
    _check_quotes(text, delimiter, name, only_odd=True)
    table = _whole_csv(_Csv(content, text, delimiter, titles, name, frozenset(exact)))
    if table.num_rows == 0:
        raise _no_rows(titles, name)
    _check_delimiter(text, table.column_names, name)
    _check_repeated_header(table, table.column_names, name)
    return plain_table(with_numbers(table, exact))


@dataclass(frozen=True)
class _Csv:
    """A file's bytes (UTF-8) and the same as text, its delimiter and the fields of its header."""

    content: bytes
    text: str
    delimiter: str
    titles: Sequence[str]
    name: str
    exact: frozenset[str]


def _no_rows(titles: Sequence[str], name: str) -> DataError:
    names = list(filter(None, map(str.strip, titles)))
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
    """The header's fields with the blanks around them, as the parser names columns."""
    start = io.StringIO(text[: 1024**2].lstrip("\r\n"), newline="")
    try:
        titles = next(csv.reader(start, delimiter=delimiter))
    except csv.Error as error:
        raise DataError(f"{name} has no readable header ({error}): name its columns") from error
    check_names(list(filter(None, map(str.strip, titles))), name)
    return titles


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


def _whole_csv(file: _Csv) -> pa.Table:
    try:
        table, ragged = _parsed_csv(file, threads=True)
        if ragged:
            evened = even_rows(file.text, file.delimiter)
            if evened is not None:
                content, titles = evened
                return _whole_csv(replace(file, content=content, titles=titles))
            # Row numbers are known to the parser only in one thread.
            _, ragged = _parsed_csv(file, threads=False)
            _check_quotes(file.text, file.delimiter, file.name, only_odd=False)
            raise _ragged_error(file.name, ragged)
        return lossless(_named(table, file), file.content, file.delimiter,
                        file.exact, partial(_texts_of, file))  # fmt: skip
    except pa.ArrowInvalid as error:
        if len(file.text.strip().splitlines()) == 1:
            raise _no_rows(file.titles, file.name) from error
        _check_quotes(file.text, file.delimiter, file.name, only_odd=False)
        raise DataError(
            f"{file.name} is not a readable CSV table ({error}): export the table as CSV again"
        ) from error


def _named(table: pa.Table, file: _Csv) -> pa.Table:
    """Name the columns; one with neither name nor value is none."""
    names = list(map(str.strip, file.titles))
    kept = [place for place, name in enumerate(names)
            if name or table.column(place).null_count < table.num_rows]  # fmt: skip
    if not all(names[place] for place in kept):
        check_names(names, file.name)
    return table.select(kept).rename_columns([names[place] for place in kept])


def _parsed_csv(file: _Csv, *, threads: bool) -> tuple[pa.Table, list[Any]]:
    ragged: list[Any] = []

    def keep(row: Any) -> str:
        ragged.append(row)
        return "skip"

    read = arrow_csv.ReadOptions(block_size=BLOCK_BYTES, use_threads=threads)
    texts = {title: pa.string() for title in file.titles if title.strip() in file.exact}
    return _arrow_table(file, read, {"column_types": texts}, keep), ragged


def _texts_of(file: _Csv, columns: Collection[str]) -> pa.Table:
    """Some columns as they are written."""
    titles = [title for title in file.titles if title.strip() in columns]
    read = arrow_csv.ReadOptions(block_size=BLOCK_BYTES)
    convert = {"include_columns": titles, "column_types": dict.fromkeys(titles, pa.string())}
    table = _arrow_table(file, read, convert, None)
    return table.rename_columns([title.strip() for title in titles])


def _arrow_table(
    file: _Csv, read: arrow_csv.ReadOptions, convert: Mapping[str, Any], keep: Any
) -> pa.Table:
    return arrow_csv.read_csv(
        pa.BufferReader(file.content),
        read_options=read,
        parse_options=arrow_csv.ParseOptions(
            delimiter=file.delimiter,
            newlines_in_values=b'"' in file.content,
            invalid_row_handler=keep,
        ),
        convert_options=arrow_csv.ConvertOptions(
            # Texts such as NA stay: which of them are values is for the contract to say.
            null_values=[""],
            strings_can_be_null=True,
            **convert,
        ),
    )


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
