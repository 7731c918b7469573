"""Joining the other sources of a problem to its primary one, row by row."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from noria.common.categories import tidy
from noria.common.messages import comma_list, nearest, unique_name
from noria.contracts import Join, Problem, Source
from noria.core.cleansing.join_keys import key_texts, kind_of
from noria.core.column_types.cell_values import is_textual, without_missing
from noria.core.column_types.column_marks import marks_for
from noria.core.column_types.event_time import (
    column_times,
    event_time_name,
    needed_columns,
    reading_of,
    with_event_time,
)
from noria.core.column_types.timestamp_parsing import read_times
from noria.core.data.frame_columns import with_column
from noria.core.ingestion.raw_text import LARGEST_WHOLE
from noria.errors import DataError

EXAMPLES = 3
LEFT_OUT = "left_out"  # columns of a source that have no plain values and are excluded
TIME, POSITION = "__time__", "__position__"


def join_sources(frames: Mapping[str, pd.DataFrame], problem: Problem) -> pd.DataFrame:
    """Left-join every other source to the primary one: by key, or as of the event time.

    The result has the primary's rows in their order, never more. A source's key and `as_of`
    columns are not repeated; its other columns keep their names, and where a name is already
    taken it becomes `<source>_<column>` (`planes_year`). A computed event time is added as
    `event_time`. `attrs["joins"]` holds, per source, the share of rows that found a match
    (`matched`) and how many of the source's own rows were left out: exact duplicates
    (`duplicates_dropped`) and those that no row can find, as they lack `key` (`without_key`).
    Raises DataError for a missing source or column and for keys that are not unique.
    """
    primary = problem.primary
    shared = {key for source in problem.sources if source.join for key in source.join.on}
    joined = _known(_frame_of(frames, primary).reset_index(drop=True), shared, problem)
    joined = _timed(joined, problem)
    notes = {}
    for source in problem.sources:
        if source.name == primary.name or source.join is None:
            continue
        joined = _timed(joined, problem)
        other, left_out = _unique(_frame_of(frames, source), source, source.join, problem)
        positions = _positions(joined, other, source, source.join, problem)
        joined = _attached(joined, other, positions, source, source.join)
        notes[source.name] = {
            "matched": float(positions.notna().mean()) if len(positions) else 0.0,
            **left_out,
        }
    joined = _timed(joined, problem)
    joined.attrs["joins"] = notes
    joined.attrs[LEFT_OUT] = sorted(
        name for frame in frames.values() for name in frame.attrs.get(LEFT_OUT, ())
    )
    return joined


def _frame_of(frames: Mapping[str, pd.DataFrame], source: Source) -> pd.DataFrame:
    if source.name not in frames:
        raise DataError(f"source {source.name!r} was not collected: there is {comma_list(frames)}")
    return frames[source.name]


def _known(frame: pd.DataFrame, keys: Iterable[str], problem: Problem) -> pd.DataFrame:
    """Blank what means missing in key columns: NA names no row."""
    for key in keys:
        if key in frame.columns and is_textual(frame[key]):
            marks = marks_for(key, problem)
            different = frame[key].dropna().unique()
            unknown = [value for value in different if marks.mean(tidy(str(value)))]
            if unknown:
                frame = with_column(frame, key, frame[key].mask(frame[key].isin(unknown), None))
    return frame


def _timed(frame: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """Compute the event time as soon as its columns are there."""
    name = event_time_name(problem)
    ready = needed_columns(problem) <= set(frame.columns)
    already = name in frame.columns and frame.attrs.get("timed", False)
    if name is None or already or not ready:
        return frame
    timed = with_event_time(frame, problem)
    timed.attrs["timed"] = True
    return timed


def _unique(
    frame: pd.DataFrame, source: Source, join: Join, problem: Problem
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Drop rows without a key and exact duplicates, and count both."""
    keys = [*join.on, *([join.as_of] if join.as_of else [])]
    for key in keys:
        _require(frame, key, source.name)
    if join.as_of:  # one moment may be written in several zones
        written = without_missing(frame[join.as_of], marks_for(join.as_of, problem))
        times = _as_of_times(written, source, join, problem)
        frame = with_column(frame, join.as_of, times)
    frame = _known(frame, join.on, problem)
    present = frame.dropna(subset=keys)
    distinct = present.drop_duplicates()
    counts = {
        "duplicates_dropped": len(present) - len(distinct),
        "without_key": len(frame) - len(present),
        "key": keys,
    }
    return distinct.reset_index(drop=True), counts


def _refuse_repeated(keys: pd.DataFrame, source: Source) -> None:
    """Refuse a key that more than one row has, once its values have the primary's type."""
    repeated = keys[keys.duplicated(keep="first")]
    if repeated.empty:
        return
    examples = repeated.drop_duplicates().head(EXAMPLES).astype("str")
    shown = "; ".join(", ".join(row) for row in examples.to_numpy().tolist())
    names = ", ".join(str(_as_of(source) if column == TIME else column) for column in keys)
    raise DataError(
        f"source {source.name!r} has {len(repeated)} more rows for keys it already has: "
        f"({names}) = {shown}. Make the key unique, or add columns to join.on."
    )


def _as_of(source: Source) -> str | None:
    return source.join.as_of if source.join is not None else None


def _require(frame: pd.DataFrame, column: str, source: str) -> None:
    if column in frame.columns:
        return
    guess = nearest(column, frame.columns)
    hint = f"did you mean {guess!r}? " if guess else ""
    raise DataError(
        f"join column {column!r} is not in source {source!r}: {hint}It has "
        f"{comma_list(frame.columns)}."
    )


def _positions(
    left: pd.DataFrame, right: pd.DataFrame, source: Source, join: Join, problem: Problem
) -> pd.Series:
    """Find, for each row on the left, the position of its row on the right (or NaN)."""
    for key in join.on:
        _require(left, key, problem.primary.name)
    pairs = {key: _reconciled(left[key], right[key]) for key in join.on}
    keys = pd.DataFrame({key: pair[1] for key, pair in pairs.items()})
    left_codes, right_codes = _coded(pairs)
    if join.as_of is not None:
        left_codes[TIME] = _event_times(left, source, problem)
        keys[TIME] = right_codes[TIME] = right[join.as_of]
    _refuse_repeated(keys.dropna(), source)
    right_codes[POSITION] = range(len(right))
    known, others = (
        codes[(codes[join.on] >= 0).all(axis=1)].dropna() for codes in (left_codes, right_codes)
    )
    if join.as_of is not None:
        return _matched_backward(known, others, join).reindex(left.index)
    matches = known.merge(others, on=join.on, how="left")
    return matches[POSITION].set_axis(known.index).reindex(left.index)


def _coded(pairs: Mapping[str, tuple[pd.Series, pd.Series]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Number the distinct values of each key on both sides alike; -1 is a missing one."""
    left, right = {}, {}
    for key, (ours, theirs) in pairs.items():
        codes, _ = pd.factorize(pd.concat([ours, theirs], ignore_index=True))
        left[key] = pd.Series(codes[: len(ours)], index=ours.index)
        right[key] = pd.Series(codes[len(ours) :], index=theirs.index)
    return pd.DataFrame(left), pd.DataFrame(right)


def _reconciled(left: pd.Series, right: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Give the two sides of a key one type: numbers, times or text.

    Texts are compared as they are written, 0123 and 123 being two keys; beside a column of numbers
    2.0 is the number 2.
    """
    kinds = {kind_of(left), kind_of(right)}
    if "time" in kinds:
        return read_times(left), read_times(right)
    if kinds == {"bool"} or (kinds == {"number"} and left.dtype == right.dtype):
        return left, right
    if kinds == {"number"} and all(map(_counts_by_one, (left, right))):
        return left.astype("float64"), right.astype("float64")
    return key_texts(left, *kinds), key_texts(right, *kinds)


def _counts_by_one(numbers: pd.Series) -> bool:
    """Whether a float tells every number from its neighbours."""
    return bool((numbers.dropna().abs() < LARGEST_WHOLE).all())


def _event_times(left: pd.DataFrame, source: Source, problem: Problem) -> pd.Series:
    name = event_time_name(problem)
    if name is None or name not in left.columns:
        raise DataError(
            f"source {source.name!r} joins as of {_as_of(source)!r} but "
            f"the rows of {problem.primary.name!r} have no event time: set event_time"
        )
    return column_times(left, name, problem)


def _as_of_times(values: pd.Series, source: Source, join: Join, problem: Problem) -> pd.Series:
    times = read_times(values, reading_of(join, problem.quality))
    unread = times.isna() & values.notna()
    if unread.any():
        raise DataError(
            f"source {source.name!r}: {int(unread.sum())} values of as_of column {join.as_of!r} "
            f"are not timestamps, such as {str(values[unread].iloc[0])!r}: write ISO 8601 with a "
            "zone, or declare the join's format"
        )
    return times


def _matched_backward(left: pd.DataFrame, right: pd.DataFrame, join: Join) -> pd.Series:
    """Match the latest row on the right at or before the left's time, within the tolerance."""
    usable = left.sort_values(TIME, kind="stable")
    matches = pd.merge_asof(
        usable,
        right.sort_values(TIME, kind="stable"),
        on=TIME,
        by=join.on,
        tolerance=pd.Timedelta(join.tolerance) if join.tolerance is not None else None,
        direction="backward",
    )
    return matches[POSITION].set_axis(usable.index)


def _attached(
    left: pd.DataFrame, right: pd.DataFrame, positions: pd.Series, source: Source, join: Join
) -> pd.DataFrame:
    """Add the right side's columns at the given positions, renamed where a name is taken."""
    added = right.drop(columns=[*join.on, *([join.as_of] if join.as_of else [])])
    names: dict[str, str] = {}
    for column in added.columns:
        taken = {*left.columns, *names.values()}
        wanted = f"{source.name}_{column}" if column in left.columns else column
        names[column] = unique_name(wanted, taken)
    rows = added.rename(columns=names).reindex(positions.fillna(-1).astype("int64"))
    attrs = dict(left.attrs)
    joined = pd.concat([left, rows.set_axis(left.index)], axis=1)
    joined.attrs.update(attrs)
    return joined
