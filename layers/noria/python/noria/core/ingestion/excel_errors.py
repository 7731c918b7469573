"""Cells of a workbook that hold an error such as #DIV/0!: calamine reads them as empty."""

import re
import zipfile
from collections import Counter

from noria.common.messages import counted

CHUNK = 1 << 22
LONGEST_TAG = 512  # bytes, kept over the border of two chunks
TAG = re.compile(rb"<(?:\w+:)?(row|c)\b([^<>]*)>")
PLACE = re.compile(rb'\br="([A-Z]{1,3})[0-9]')
ERROR = re.compile(rb'\bt="e"')


def column_number(letters: bytes) -> int:
    """Return the place, from 1, of a column such as AB."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def error_cells(archive: zipfile.ZipFile, item: zipfile.ZipInfo) -> Counter[int]:
    """Count the error cells of one sheet's XML by their column, from 1 (ECMA-376 18.3.1.4)."""
    found: Counter[int] = Counter()
    column, rest = 0, b""
    with archive.open(item) as stream:
        while chunk := stream.read(CHUNK):
            text, end = rest + chunk, 0
            for match in TAG.finditer(text):
                end = match.end()
                column = _column(column, match)
                found[column] += bool(ERROR.search(match[2]))
            rest = text[end:][-LONGEST_TAG:]
    return +found


def _column(before: int, tag: re.Match[bytes]) -> int:
    """A cell without a place stands behind the one before it."""
    if tag[1] == b"row":
        return 0
    place = PLACE.search(tag[2])
    return column_number(place[1]) if place else before + 1


def error_notes(errors: Counter[int], titles: dict[int, str]) -> tuple[str, ...]:
    """Say per column how many of its cells hold errors; `titles` has the columns' names."""
    return tuple(
        error_note(titles[place], count)
        for place, count in sorted(errors.items())
        if place in titles
    )


def error_note(title: str, count: int) -> str:
    """Say how many cells of a column hold errors, of a workbook or of a table saved from one."""
    return (
        f"column {title!r}: {counted(count, 'cell')} with an Excel error such as #DIV/0! "
        f"or #N/A read as missing: fix the formula if {'it' if count == 1 else 'they'} should "
        "have a value"
    )
