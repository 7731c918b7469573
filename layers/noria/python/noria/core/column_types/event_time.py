"""The event time of each row: a column, or an expression that yields a timestamp."""

import pandas as pd

from noria.common.expressions import is_column, parse
from noria.contracts import ColumnRule, Join, Problem, Quality
from noria.core.column_types.cell_values import is_textual, numbers_of, without_missing
from noria.core.column_types.column_marks import marks_for
from noria.core.column_types.timestamp_parsing import TimeReading, read_times
from noria.errors import DataError, ExpressionError

COMPUTED = "event_time"
LARGEST_NUMBER = 1e12  # larger numbers in an event time are errors, and overflow as durations
BEYOND = (OverflowError, pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta)
NO_RULE = ColumnRule()


def reading_of(rule: ColumnRule | Join, quality: Quality) -> TimeReading:
    """Return how a column's times are written, as its rule or its join says."""
    return TimeReading(tuple(rule.format), rule.timezone or "UTC", quality.declared_share)


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
    inputs = {name: _as_input(frame[name], name, problem) for name in expression.columns}
    try:
        result = pd.Series(expression.evaluate(inputs), index=frame.index)
    except ExpressionError as error:
        if not isinstance(error.__cause__, BEYOND):
            raise
        raise DataError(
            f"event_time {problem.event_time!r} goes beyond the calendar ({error.__cause__}): "
            "give its columns a minimum and a maximum in quality.columns"
        ) from error
    return frame.assign(**{COMPUTED: read_times(result)})


def _as_input(raw: pd.Series, name: str, problem: Problem) -> pd.Series:
    """Hand numbers within their limits on, and anything else as timestamps (NaT where none)."""
    rule = problem.quality.columns.get(name, NO_RULE)
    values = without_missing(raw, marks_for(name, problem))
    if is_textual(values):  # such as numbers among which some are marked as missing
        numbers = numbers_of(values)
        values = numbers if numbers.notna().equals(values.notna()) else values
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if rule.format or rule.timezone or not numeric:
        return read_times(values, reading_of(rule, problem.quality))
    low = -LARGEST_NUMBER if rule.minimum is None else rule.minimum
    high = LARGEST_NUMBER if rule.maximum is None else rule.maximum
    return values.where(values.between(max(low, -LARGEST_NUMBER), min(high, LARGEST_NUMBER)))


def column_times(frame: pd.DataFrame, name: str, problem: Problem) -> pd.Series:
    """Read a column's times as its rule in the contract says, to UTC."""
    rule = problem.quality.columns.get(name, NO_RULE)
    values = without_missing(frame[name], marks_for(name, problem))
    return read_times(values, reading_of(rule, problem.quality))
