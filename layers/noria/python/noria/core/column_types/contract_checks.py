"""What a contract says of its columns that means nothing: units, zones, formats, patterns."""

import pandas as pd
import pyarrow as pa
import pyarrow.compute as arrow

from noria.contracts import ColumnRule, Join, Problem
from noria.contracts.quality import FIELD_TYPES
from noria.core.column_types.timestamp_parsing import EPOCHS, zone_problem
from noria.core.column_types.units import unit_problem


def impossible(problem: Problem) -> list[str]:
    """Say which units, zones, formats and patterns of columns and joins mean nothing."""
    parts = {
        f"quality.columns.{name}": _impossible_parts(rule)
        for name, rule in problem.quality.columns.items()
    } | {
        f"sources '{source.name}' join": _impossible_times(source.join)
        for source in problem.sources
        if source.join is not None
    }
    return [
        f"{place}.{field}: {told}"
        for place, found in parts.items()
        for field, told in found
        if told is not None
    ]


def unsuitable(frame: pd.DataFrame, problem: Problem) -> list[str]:
    """Say which rules are for numbers or texts although their columns hold times."""
    return [
        f"quality.columns.{name}.{field} is for type {' or '.join(types)}, and the column holds "
        "times: leave it out, or compare times in quality.checks"
        for name, rule in problem.quality.columns.items()
        if name == problem.event_time_column
        or (name in frame.columns and pd.api.types.is_datetime64_any_dtype(frame[name]))
        for field, types in FIELD_TYPES.items()
        if rule.has(field) and "timestamp" not in types
    ]


def _impossible_parts(rule: ColumnRule) -> list[tuple[str, str | None]]:
    parts = _impossible_times(rule)
    if rule.unit is not None:
        parts.append(("unit", unit_problem(rule.unit, rule.source_unit)))
    if rule.pattern is not None:
        parts.append(("pattern", _pattern_problem(rule.pattern)))
    return parts


def _impossible_times(written: ColumnRule | Join) -> list[tuple[str, str | None]]:
    parts = [("format", _format_problem(form)) for form in written.format]
    if written.timezone is not None:
        parts.append(("timezone", zone_problem(written.timezone)))
    return parts


def _format_problem(form: str) -> str | None:
    if form in EPOCHS or form == "ISO8601":
        return None
    remedy = f"write strptime codes such as %d/%m/%Y %H:%M, ISO8601 or {', '.join(EPOCHS)}"
    if "%" not in form:
        return f"{form!r} is no format of a time: {remedy}"
    try:
        pd.to_datetime(pd.Series(["2024"]), format=form, errors="coerce")
    except ValueError as error:
        return f"{form!r} is no format of a time ({error}): {remedy}"
    return None


def _pattern_problem(pattern: str) -> str | None:
    try:
        arrow.match_substring_regex(pa.array(["a"]), f"^(?:{pattern})$")
    except pa.ArrowInvalid as error:
        return f"{pattern!r} is no RE2 regular expression ({error}): fix it"
    return None
