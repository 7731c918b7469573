"""Files with decimal commas, in which a point separates thousands: 1.234,50 beside 3.128 pieces."""

import pyarrow as pa
import pyarrow.compute as pc

PROBED, NEARLY_ALL = 1000, 0.9
#: With a currency's sign or code before or behind.
BEFORE, BEHIND = r"(?:[A-Z]{0,3}[^\dA-Za-z,.]+)?", r"(?:[^\dA-Za-z,.]+[A-Za-z]{0,4})?"
NUMBER = rf"^{BEFORE}(?:\d+|\d{{1,3}}(?:\.\d{{3}})+)(?:,\d+)?{BEHIND}$"
#: Not three digits behind the comma, or points before it: no comma for thousands.
DECISIVE = r"(?:\.\d{3},\d+|,(?:\d{1,2}|\d{4,}))\D*$"
THOUSANDS = r"^[+-]?(?:\d{1,3}|[1-9]\d{0,2}(?:\.\d{3})+)$"


def has_decimal_commas(table: pa.Table) -> bool:
    """Whether a column of texts holds numbers with decimal commas, by its first values."""
    return any(
        _has_commas(column.slice(0, PROBED))
        for column in table.columns
        if pa.types.is_string(column.type)
    )


def _has_commas(texts: pa.ChunkedArray) -> bool:
    if not pc.any(pc.match_substring_regex(texts, DECISIVE)).as_py():
        return False
    numbers = pc.match_substring_regex(texts, NUMBER)
    return float(pc.mean(numbers.cast(pa.float64())).as_py()) >= NEARLY_ALL


def all_in_thousands(texts: pa.ChunkedArray) -> bool:
    """Whether every text, one at least, could be a whole number whose points separate thousands."""
    return len(texts) > 0 and bool(pc.all(pc.match_substring_regex(texts, THOUSANDS)).as_py())
