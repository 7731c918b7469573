"""Names of model versions: v1, v2 and so on, as they were trained."""

import re
from collections.abc import Iterable


def in_order(versions: Iterable[str]) -> list[str]:
    """Put names of versions in the order in which they were trained."""
    return sorted(versions, key=lambda name: (number_of(name), name))


def number_of(version: str) -> int:
    """The number in a version's name, 0 in one of another form."""
    found = re.fullmatch("v([0-9]+)", version)
    return int(found[1]) if found else 0
