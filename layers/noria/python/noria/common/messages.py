"""Names and values in messages: lists of names, the nearest name, counts, values cut short."""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

LISTED_AT_MOST = 30
LONGEST_REPR = 60
LONGEST_VALUE = 40


def nearest(name: str, available: Iterable[str]) -> str | None:
    """Return the available name most like the given one, or None when none is alike."""
    by_lowercase = {candidate.lower(): candidate for candidate in available}
    found = difflib.get_close_matches(name.lower(), by_lowercase, n=1, cutoff=0.6)
    return by_lowercase[found[0]] if found else None


def comma_list(names: Iterable[str], shown: int = LISTED_AT_MOST) -> str:
    """Join names for a sentence, cut after `shown`."""
    everything = list(names)
    rest = len(everything) - shown
    return ", ".join(everything[:shown]) + (f" and {rest} more" if rest > 0 else "")


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: 1 row, 2,000 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def ascii_repr(value: object) -> str:
    """Write a value into a message: ASCII, and cut where it is long."""
    text = ascii(value)
    return text if len(text) <= LONGEST_REPR else f"{text[: LONGEST_REPR - 3]}..."


def cell_text(value: object) -> str:
    """Write a cell of a table into a message: a text in quotes, others plainly; long ones cut."""
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def unknown_column(field: str, name: str, available: Sequence[str]) -> str:
    """Say that a contract field names a column that no source has, and which was meant."""
    guess = nearest(name, available)
    hint = f"did you mean {guess!r}? " if guess else ""
    if guess and _looks(guess) == _looks(name):
        hint = (
            f"{guess!r} looks the same and is written in other characters ({guess!a}, not "
            f"{name!a}): copy it from the data. "
        )
    return (
        f"{field} names column {name!r}, which is in no source: {hint}"
        f"The columns are {comma_list(available)}."
    )


def _looks(name: str) -> str:
    return unicodedata.normalize("NFKC", name)


def unique_name(name: str, taken: Iterable[str]) -> str:
    """Append a number to a name until no other column has it."""
    used = set(taken)
    if name not in used:
        return name
    number = 2
    while f"{name}_{number}" in used:
        number += 1
    return f"{name}_{number}"
