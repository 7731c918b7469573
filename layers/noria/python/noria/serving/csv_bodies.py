"""CSV bodies: a header and rows of texts, which are read as those of the training file were."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from noria.common.messages import ascii_repr, comma_list
from noria.core.model.signature import Field, Signature
from noria.core.model.text_numerals import json_number
from noria.errors import RequestError
from noria.serving.json_bodies import BYTE_ORDER_MARK, refuse_large

CSV = "text/csv"
ENCODINGS = ("utf-8", "utf8", "us-ascii")
DELIMITERS = ",;\t|"  # as files for training may have them
LONGEST_HEADER = 100_000  # characters that are looked at for the delimiter
QUOTED = re.compile(r'"[^"]*"')

Row = Mapping[str, Any]


def media_type(content_type: str) -> str:
    """The type of a content type header, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def parse_csv(body: bytes, content_type: str, most: int) -> list[dict[str, str | None]]:
    """Read up to `most` rows of texts by the names of the header; an empty cell is null.

    UTF-8 with or without a byte order mark, fields in double quotes where they need them. Raises
    RequestError, which names the row and what to send.
    """
    refuse_large(body)
    _refuse_other_csv(content_type)
    try:
        text = body.removeprefix(BYTE_ORDER_MARK).decode()
    except UnicodeDecodeError as error:
        raise RequestError(
            f"byte {error.start} of the body is not UTF-8: send CSV in UTF-8"
        ) from error
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        names, *cells = list(islice(filter(None, lines), most + 2)) or [[]]
    except csv.Error as error:
        raise RequestError(
            f"line {lines.line_num} of the body is not CSV ({error}): send a header and a line per "
            'row, texts with commas, quotes or line breaks in "quotes"'
        ) from error
    if len(cells) > most:
        raise RequestError(f"rows: more than {most} given; send 1 to {most} at a time")
    return list(_rows(names, cells))


def _refuse_other_csv(content_type: str) -> None:
    """Refuse what the content type says of an encoding that is not read, or of no header."""
    parts = (part.partition("=") for part in content_type.lower().split(";")[1:])
    told = {name.strip(): value.strip(' "') for name, _, value in parts}
    encoding = told.get("charset", "utf-8")
    if encoding not in ENCODINGS:
        raise RequestError(f"the body is in {ascii_repr(encoding)}: send CSV in UTF-8")
    if told.get("header") == "absent":
        raise RequestError("the body has no header: send the fields' names as its first line")


def _delimiter(text: str) -> str:
    """The delimiter that the header has outside of quotes, a comma first."""
    header = QUOTED.sub("", text[:LONGEST_HEADER]).lstrip("\r\n").partition("\n")[0]
    return next((mark for mark in DELIMITERS if mark in header), ",")


def _rows(names: Sequence[str], cells: Sequence[list[str]]) -> Iterator[dict[str, str | None]]:
    known = [name.strip() for name in names]
    twice = [name for name, count in Counter(known).items() if name and count > 1]
    if twice:
        raise RequestError(f"the header names {comma_list(twice)} twice: send each field once")
    for number, row in enumerate(cells):
        if len(row) != len(known):
            raise RequestError(
                f"row {number} has {len(row)} cells, the header {len(known)}: send one for each "
                "name, empty where it is unknown"
            )
        for place, (name, cell) in enumerate(zip(known, row, strict=True)):
            if not name and cell.strip():
                raise RequestError(
                    f"column {place} has no name in the header: name it, or leave it out"
                )
        yield {name: cell or None for name, cell in zip(known, row, strict=True) if name}


def as_trained(rows: Sequence[Row], signature: Signature) -> list[Row]:
    """Read cells as numbers where the training file's were; all other texts are read as they are.

    The signature says of those how they were written: truth values, times, decimal commas, units.
    """
    names = [field.name for field in signature.columns if _plainly_numbers(field)]
    return [
        {**row, **{name: _number(row[name]) for name in names if row.get(name)}} for row in rows
    ]


def _plainly_numbers(field: Field) -> bool:
    notation = field.notation
    written = notation.boolean or notation.decimal is not None or bool(notation.units)
    return field.kind == "number" and not written


def _number(text: Any) -> Any:
    """A number as JSON would have it; what is none stays a text, which is refused by its field."""
    number = json_number(text) if isinstance(text, str) else None
    return text if number is None else number
