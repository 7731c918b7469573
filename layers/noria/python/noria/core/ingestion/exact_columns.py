"""Columns that a parser made numbers of, and that lost something by it: texts again."""

import re
from collections.abc import Callable, Collection

import pyarrow as pa
import pyarrow.compute as pc

from noria.core.ingestion.decimal_commas import all_in_thousands, has_decimal_commas
from noria.core.ingestion.exact_values import loses_texts, retyped
from noria.core.ingestion.raw_text import LARGEST_WHOLE

CODE, PADDING = b"0[0-9xX]", b'[" ]+'


def lossless(
    table: pa.Table,
    content: bytes,
    delimiter: str,
    exact: Collection[str],
    texts_of: Callable[[Collection[str]], pa.Table],
) -> pa.Table:
    """Take as texts what numbers do not bring back, of a parsed table and the bytes it came from.

    `exact` columns came as texts, and stay so unless numbers bring back each of them. `texts_of`
    parses columns once more, as texts.
    """
    commas = has_decimal_commas(table)
    doubted = _doubted(table, codes=has_codes(content, delimiter), commas=commas)
    doubted = [name for name in doubted if name not in exact]
    texts = texts_of(doubted) if doubted else None
    for place, name in enumerate(table.column_names):
        if name in exact and pa.types.is_string(table.column(place).type):
            table = table.set_column(place, name, retyped(table.column(place)))
        elif texts is not None and name in doubted:
            column, kind = texts.column(name), table.column(place).type
            in_thousands = commas and all_in_thousands(column)
            if pa.types.is_time(kind) or in_thousands or loses_texts(column):
                table = table.set_column(place, name, column)
    return table


def _doubted(table: pa.Table, *, codes: bool, commas: bool) -> list[str]:
    """Columns whose texts may say more than what they were parsed to.

    Beside decimal commas a point may separate thousands.
    """
    return [
        field.name
        for field, column in zip(table.schema, table.columns, strict=True)
        if pa.types.is_time(field.type)
        or (codes and pa.types.is_integer(field.type))
        or (pa.types.is_floating(field.type) and (codes or commas or _is_far(column)))
    ]


def _is_far(numbers: pa.ChunkedArray) -> bool:
    ends = pc.min_max(numbers).as_py()
    return any(end is not None and abs(end) >= LARGEST_WHOLE for end in ends.values())


def has_codes(content: bytes, delimiter: str) -> bool:
    """Whether a field seems to begin with a zero and a further digit; a date may seem so too."""
    ends = (b"\n",) if b"\n" in content else (b"\r",)
    marks = [re.escape(mark) for mark in (delimiter.encode(), *ends)]
    # Literal beginnings are found many times faster than choices.
    if any(re.search(mark + CODE, content) for mark in marks):
        return True
    padded = b'"' in content or delimiter.encode() + b" " in content
    return padded and any(re.search(mark + PADDING + CODE, content) for mark in marks)
