"""What the parsers of a source's files share: text, and column names."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd
from pandas.api.types import infer_dtype

from noria.common.messages import comma_list
from noria.errors import DataError

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
    if content[:200].count(0) > 0.4 * len(content[:200]):
        raise DataError(
            f"{name} looks like UTF-16 without its byte order mark (it holds NUL bytes): "
            "save it as UTF-8"
        )
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
    nul = text.find("\x00")
    if nul >= 0:
        line = text.count("\n", 0, nul) + 1
        raise DataError(
            f"{name} holds NUL bytes, the first in line {line}: it is binary, UTF-16 or damaged; "
            "save it as UTF-8 text"
        )
    return text


UNNAMED = "name it in the header, or save the table without its row index"


def check_names(names: Sequence[str], name: str, remedy: str = UNNAMED) -> None:
    """Refuse empty and repeated column names; `remedy` is what to do about the empty ones."""
    empty = [str(position) for position, column in enumerate(names, 1) if not column]
    if empty:
        raise DataError(
            f"{name}: column {comma_list(empty, 5)} of {len(names)} has no name: {remedy}"
        )
    repeated = [column for column, count in Counter(names).items() if count > 1]
    if repeated:
        raise DataError(f"{name} has more than one column {comma_list(repeated, 5)}: rename them")


def nested_error(name: str, column: str) -> DataError:
    """The refusal of a column whose values have parts."""
    return DataError(f"{name}: column {column!r} is nested: flatten it into plain columns")


def values_as_text(values: pd.Series) -> pd.Series:
    """Write values as text: whole numbers without a point, booleans as true and false."""
    if pd.api.types.is_float_dtype(values):
        present = values.dropna()
        if len(present) and (present.abs() < LARGEST_WHOLE).all() and (present % 1 == 0).all():
            values = values.astype("Int64")
    if isinstance(values.dtype, pd.StringDtype):
        return values
    if pd.api.types.is_bool_dtype(values) or infer_dtype(values, skipna=True) == "boolean":
        return values.map({True: "true", False: "false"}).astype("str")
    missing = values.isna()
    return values.astype("object").astype("str").mask(missing, None)
