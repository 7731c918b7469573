"""How people write dates and times: the formats that are tried where a contract names none."""

import re
from collections.abc import Iterable
from functools import cache
from itertools import product

ZONED = r"(?:Z|z|[+-]\d{2}:?\d{2})\s*$"
ISO = r"^\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\s*$"
#: What a date in one of the inferred formats begins with; other texts are not tried.
DATELIKE = r"^\s*(?:[A-Za-z]{3,9},? )?(?:\d{1,4}[/.\-]\d{1,2}[/.\-]\d{1,4}|\d{1,2}[ \-][A-Za-z]{3,9}[ \-]\d{4}|[A-Za-z]{3,9} \d{1,2},? \d{4})(?:\D|$)"  # noqa: E501

_NEUTRAL = ("%Y/%m/%d", "%Y.%m.%d", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y",
            "%b %d %Y", "%B %d %Y")  # fmt: skip
_DAY_FIRST = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y")
_MONTH_FIRST = ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S %z",
           " %H:%M %z")  # fmt: skip
_MAIL = ("%a, %d %b %Y %H:%M:%S %z", "%a, %d %b %Y %H:%M:%S")


def _formats(dates: Iterable[str]) -> tuple[str, ...]:
    return tuple(date + clock for date, clock in product(dates, _CLOCKS))


#: Formats that can be read in one way only, and those that differ in what comes first.
COMMON = ("ISO8601", *_formats(_NEUTRAL), *_MAIL)
ORDERS = {"day before month": _formats(_DAY_FIRST), "month before day": _formats(_MONTH_FIRST)}
_SHAPES = {"%Y": r"\d{4}", "%f": r"\d+", "%z": ".+", "%b": "[^\\W\\d]+", "%B": "[^\\W\\d]+",
           "%a": "[^\\W\\d]+", "%p": "[^\\W\\d]+", " ": r"\s+"}  # fmt: skip


@cache
def shape_of(form: str) -> re.Pattern[str]:
    """Return what a text in an inferred format looks like; parsing is a hundred times slower."""
    if form == "ISO8601":
        return re.compile(ISO)
    parts = re.split(r"(%[A-Za-z]| )", form)
    return re.compile(
        "".join(
            _SHAPES.get(part, r"\d{1,2}" if part.startswith("%") else re.escape(part))
            for part in parts
        )
    )
