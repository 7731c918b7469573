"""The event time of each row: a column, or an expression that yields a timestamp."""

import pandas as pd

from noria.contracts import Problem
from noria.core.expressions import is_column, parse
from noria.errors import DataError

COMPUTED = "event_time"
LARGEST_NUMBER = 1e12  # larger numbers in an event time are errors, and overflow as durations
ISO_DATE = r"^\s*\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?\s*$"


def event_time_name(problem: Problem) -> str | None:
    """Name the column that holds the event time; an expression's is called `event_time`."""
    return problem.event_time_column


def needed_columns(problem: Problem) -> frozenset[str]:
    """List the columns that the event time is read or computed from."""
    return parse(problem.event_time).columns if problem.event_time is not None else frozenset()


def with_event_time(frame: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """Add the computed `event_time` where the contract gives an expression.

    Raises DataError when the data already have a column of that name.
    """
    if problem.event_time is None or is_column(problem.event_time):
        return frame
    if COMPUTED in frame.columns:
        raise DataError(
            f"event_time is the expression {problem.event_time!r}, whose result is named "
            f"{COMPUTED!r}, but the data have a column of that name: rename that column"
        )
    expression = parse(problem.event_time)
    inputs = {name: _as_input(frame[name]) for name in expression.columns}
    try:
        result = pd.Series(expression.evaluate(inputs), index=frame.index)
    except OverflowError as error:
        raise DataError(
            f"event_time {problem.event_time!r} goes beyond the calendar ({error}): "
            "give its columns a minimum and a maximum in quality.columns"
        ) from error
    return frame.assign(**{COMPUTED: to_utc(result)})


def _as_input(values: pd.Series) -> pd.Series:
    """Hand numbers on as they are, and anything else as timestamps (NaT where it is none)."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return to_utc(values)
    return values.where(values.abs() < LARGEST_NUMBER)


def looks_like_time(values: pd.Series) -> bool:
    """Tell whether a column holds timestamps, or text of which every value is an ISO date."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return True
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return False
    present = values.dropna()
    if present.empty or not present.head(20).astype("str").str.match(ISO_DATE).all():
        return False
    distinct = pd.Series(present.unique()).astype("str")
    return bool(distinct.str.match(ISO_DATE).all())


def to_utc(values: pd.Series) -> pd.Series:
    """Convert to UTC timestamps; without a zone UTC is meant, numbers are epoch seconds.

    What cannot be read becomes NaT.
    """
    if pd.api.types.is_datetime64_any_dtype(values):
        zoned = values if values.dt.tz is not None else values.dt.tz_localize("UTC")
        utc: pd.Series = zoned.dt.tz_convert("UTC").dt.as_unit("us")
        return utc
    if pd.api.types.is_bool_dtype(values):
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[us, UTC]")
    if pd.api.types.is_numeric_dtype(values):
        parsed = pd.to_datetime(values, unit="s", utc=True, errors="coerce")
        return parsed.dt.as_unit("us")
    codes, distinct = pd.factorize(values.astype("object"))
    texts = pd.Series(distinct, dtype="object").map(str)
    parsed = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    taken = parsed.dt.as_unit("us").reindex(codes)  # code -1, a missing value, becomes NaT
    return pd.Series(taken.array, index=values.index)
