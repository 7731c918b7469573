"""Columns that a parser made numbers of, and that lost something by it: texts again."""

from collections.abc import Callable, Collection

import pyarrow as pa
import pyarrow.compute as pc

from noria.core.ingestion.exact_values import loses_texts, retyped
from noria.core.ingestion.raw_text import LARGEST_WHOLE

CHUNK = 8 * 1024**2
#: Digits but zero are 1, delimiters and line ends are commas, an x is one; blanks and quotes go.
_SEEN = bytes.maketrans(b"23456789\r\nX", b"11111111,,x")
_UNSEEN = b'" '
_CODES = (b",00", b",01", b",0x")


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
    doubted = [name for name in _doubted(table, has_codes(content, delimiter)) if name not in exact]
    texts = texts_of(doubted) if doubted else None
    for place, name in enumerate(table.column_names):
        if name in exact and pa.types.is_string(table.column(place).type):
            table = table.set_column(place, name, retyped(table.column(place)))
        elif texts is not None and name in doubted:
            column, kind = texts.column(name), table.column(place).type
            if pa.types.is_time(kind) or loses_texts(column):
                table = table.set_column(place, name, column)
    return table


def _doubted(table: pa.Table, codes: bool) -> list[str]:
    """Columns whose texts may say more than what they were parsed to."""
    return [
        field.name
        for field, column in zip(table.schema, table.columns, strict=True)
        if pa.types.is_time(field.type)
        or (codes and pa.types.is_integer(field.type))
        or (pa.types.is_floating(field.type) and (codes or _is_far(column)))
    ]


def _is_far(numbers: pa.ChunkedArray) -> bool:
    ends = pc.min_max(numbers).as_py()
    return any(end is not None and abs(end) >= LARGEST_WHOLE for end in ends.values())


def has_codes(content: bytes, delimiter: str) -> bool:
    """Whether a field seems to begin with a zero and a further digit; a date may seem so too."""
    mark = delimiter.encode()
    fields = bytes.maketrans(b"," + mark, b".,") if mark != b"," else bytes(range(256))
    table = bytes(_SEEN[byte] for byte in fields)
    for start in range(0, len(content), CHUNK):
        seen = b"," * (start == 0) + content[start : start + CHUNK + 64]
        plain = seen.translate(table, _UNSEEN)
        if any(code in plain for code in _CODES):
            return True
    return False
