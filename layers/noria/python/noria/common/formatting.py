"""How numbers, shares and times are written for people."""

from datetime import UTC, datetime
from math import isfinite

from noria.common.metric_table import METRICS

NOTHING = "\N{EN DASH}"  # shown for a value that there is none of


def number(value: float | None, digits: int = 3) -> str:
    """Write a number for people: 12,345 or 0.705 or 1.2e-9."""
    if value is None or not isfinite(value):
        return NOTHING
    if value == 0 or (abs(value) >= 1000 and abs(value) < 1e12):
        return f"{value:,.0f}"
    if abs(value) < 1e-4 or abs(value) >= 1e12:
        return f"{value:.1e}"
    return f"{value:.{digits}g}"


def share(value: float) -> str:
    """Write a share as a percentage, so that neither little nor nearly all looks like none."""
    if value in (0, 1):
        return f"{value:.0%}"
    if value < 0.001:
        return "<0.1%"
    if value > 0.999:
        return ">99.9%"
    return f"{value * 100:.1f}%" if value < 0.1 or value > 0.99 else f"{value * 100:.0f}%"


def date(seconds: float) -> str:
    """Write epoch seconds as a date (UTC)."""
    return _calendar(seconds).partition(" at ")[0]


def moment(seconds: float) -> str:
    """Write epoch seconds as a date and a time of day (UTC)."""
    return _calendar(seconds).replace(" at ", " ")


def hour(seconds: float) -> str:
    """Write epoch seconds as a day and a time of day (UTC), without the year of four digits."""
    written = moment(seconds)
    return written[5:] if written[4:5] == "-" else written


def _calendar(seconds: float) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, tz=UTC):%Y-%m-%d at %H:%M}"
    except (ValueError, OverflowError, OSError):  # beyond the years 1 to 9999
        return f"{seconds / 31_556_952 + 1970:.0f} AD" if seconds > 0 else "before 0001"


def duration(seconds: float) -> str:
    """Write a duration in the largest unit that it fills."""
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            shown = f"{seconds / size:.3g}"
            return f"{shown} {unit}" if shown == "1" else f"{shown} {unit}s"
    return f"{seconds:.3g} seconds"


def metric(name: str) -> str:
    """Write a metric's name as the field does."""
    known = METRICS.get(name)
    return known.title if known else name.replace("_", " ")


def p_value(p_value: float) -> str:
    """Write a p value; very small ones only as such."""
    return "p < 0.0001" if p_value < 1e-4 else f"p {p_value:.2g}"


def measured(measure: str, value: float) -> str:
    """Write a measure with its value; an AUC below a half says that low values are positive."""
    if measure == "ROC AUC" and value < 0.5:
        return f"{measure} {number(1 - value)} of low values"
    return f"{measure} {number(value)}"


def joined_with_and(names: list[str], most: int = 6) -> str:
    """Join names with commas and an and; those beyond `most` are counted."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def shortened(text: str, most: int) -> str:
    """Cut a text to so many characters."""
    return text if len(text) <= most else text[: most - 1] + "…"
