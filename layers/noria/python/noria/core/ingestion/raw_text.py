"""What the parsers of a source's files share: text, and column names."""

import codecs
from collections import Counter
from collections.abc import Sequence

import pandas as pd
from pandas.api.types import infer_dtype

from noria.common.messages import comma_list
from noria.errors import DataError

LARGEST_WHOLE = 2.0**53  # above it a float no longer counts by one
LONG_DIGITS = r"^[+-]?\d{16,}$"
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
PROBED_BYTES = 4096
FEWEST_PLAIN = 0.3  # share of characters: in any alphabet tables have digits, delimiters and ends


def in_utf8(content: bytes, name: str) -> bytes:
    """A text file's bytes as UTF-8 without a mark; DataError where its mark is not kept.

    Its encoding is told by a byte order mark, else by where NUL bytes stand, of which UTF-16 has
    one beside each digit and delimiter.
    """
    for mark, encoding in BYTE_ORDER_MARKS:
        if content.startswith(mark):
            plain = content[len(mark) :]
            return plain if encoding == "utf-8" else _utf8_of(plain, encoding, name, len(mark))
    encoding = _unmarked(content[:PROBED_BYTES])
    return content if encoding == "utf-8" else _utf8_of(content, encoding, name, 0)


def _unmarked(start: bytes) -> str:
    """Tell UTF-16 without its mark: its NUL bytes all stand before, or all behind, a character."""
    before, behind = start[::2].count(0), start[1::2].count(0)
    if min(before, behind) or max(before, behind) < FEWEST_PLAIN * len(start) / 2:
        return "utf-8"
    return "utf-16-le" if behind else "utf-16-be"


def _utf8_of(content: bytes, encoding: str, name: str, skipped: int) -> bytes:
    return _decoded(content, encoding, name, skipped).encode()


def decoded(content: bytes, name: str) -> str:
    """Decode UTF-8; DataError gives the first bad byte."""
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
