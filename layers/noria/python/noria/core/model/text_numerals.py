"""Numerals of files without types, as the numbers that JSON would have."""

import re

NUMERAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)  # longer ones are read as the nearest double


def json_number(text: str) -> int | float | None:
    """Read a numeral with a point, or none, and white space around it; None where it is none."""
    found = text.strip()
    if WHOLE.fullmatch(found):
        return int(found)
    return float(found) if NUMERAL.fullmatch(found) else None
