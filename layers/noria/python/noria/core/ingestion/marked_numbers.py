"""Amounts among which texts such as NA mean missing: numbers again, before cleansing reads them."""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from noria.common.missing_marks import USUAL
from noria.core.ingestion.decimal_commas import all_in_thousands, has_decimal_commas
from noria.core.ingestion.exact_values import loses_texts

PROBED = 1000
#: A contract may list numbers and a mark beside them as values: never as many as these.
LISTED = 100
CODES = r"^[+-]?0\d"


def with_numbers(table: pa.Table, exact: Collection[str] = ()) -> pa.Table:
    """Read text columns of many different numbers and usual marks as numbers.

    `exact` columns and all others stay as they are: which of their texts mean missing is for the
    contract to say, and cleansing counts the errors of a spreadsheet. So do those whose points may
    separate thousands.
    """
    marks, commas = pa.array(sorted(USUAL)), has_decimal_commas(table)
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) and field.name not in exact:
            texts = table.column(place)
            numbers = _numbers(texts, marks)
            if numbers is not None and not (commas and all_in_thousands(_known(texts, marks))):
                table = table.set_column(place, field.name, numbers)
    return table


def _numbers(texts: pa.ChunkedArray, marks: pa.Array) -> pa.ChunkedArray | None:
    if _cast(texts.slice(0, PROBED), marks) is None:
        return None
    numbers = _cast(texts, marks)
    if numbers is None or pc.count_distinct(numbers).as_py() <= LISTED or _has_codes(texts):
        return None
    return None if pa.types.is_floating(numbers.type) and loses_texts(texts) else numbers


def _has_codes(texts: pa.ChunkedArray) -> bool:
    """Whether a number has leading zeros; a look at the first letters spares most the pattern."""
    some = texts.filter(pc.or_(pc.starts_with(texts, "0"), pc.match_substring(texts, "-0")))
    return bool(pc.any(pc.match_substring_regex(some, CODES)).as_py())


def _known(texts: pa.ChunkedArray, marks: pa.Array) -> pa.ChunkedArray:
    return pc.if_else(pc.is_in(texts, marks), None, texts)


def _cast(texts: pa.ChunkedArray, marks: pa.Array) -> pa.ChunkedArray | None:
    known = _known(texts, marks)
    for kind in (pa.int64(), pa.float64()):
        try:
            return known.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None
