"""Columns of times that were written as numbers: read by what all of them tell, or asked about."""

from dataclasses import replace

import pandas as pd

from noria.core.column_types.epochs import EPOCHS, NAMES, numbered_times
from noria.core.column_types.timestamp_parsing import TimeReading, digits_of, read_times


def counted_times(values: pd.Series) -> pd.Series | None:
    """Return times that were written as numbers, None where they were not."""
    if isinstance(values.dtype, pd.StringDtype):
        digits = digits_of(values.dropna())
        return None if digits is None else digits.reindex(values.index)
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    return values.astype("float64") if numeric else None


def times_of(
    values: pd.Series, numbers: pd.Series, reading: TimeReading
) -> tuple[pd.Series, tuple[str, ...]]:
    """Read numbers as times, and say which were read; where they do not tell, ask and read none."""
    found = numbered_times(numbers)
    remedy = f"declare quality.columns.{values.name}.format"
    if found.question is not None:
        nothing = read_times(pd.Series(None, index=values.index, dtype="object"))
        return nothing, (
            f"{values.name}: {found.question}, so its times were not read: {remedy}, such as "
            "epoch_s, epoch_ms or %Y%m%d",
        )
    times = read_times(values, replace(reading, formats=(found.form,)))
    if not times.notna().any():
        return times, ()
    since = " since 1970" if found.form in EPOCHS else ""
    return times, (
        f"{values.name}: numbers read as {NAMES[found.form]}{since} ({found.form}), "
        f"{times.min():%Y-%m-%d} to {times.max():%Y-%m-%d}: where that is wrong, {remedy}",
    )
