"""Entity keys: one text each, from the stored rows and from a request alike."""

import re
from collections.abc import Callable, Mapping

from noria.common.categories import Spellings, spellings_of
from noria.contracts import Problem
from noria.core.data.notation import Notation
from noria.core.feature_store.feature_set import Kind
from noria.core.windows.lookup_spec import LARGEST_WHOLE, KeyColumn

NUMBER = re.compile(
    r"(U?(TINY|SMALL|BIG|HUGE)INT|UHUGEINT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*|BOOLEAN)"
)
TIME = re.compile(r"TIMESTAMP.*|DATE")


def key_text(column: str, kind: str) -> str:
    """A key column, as SQL names it, as text that a request's value becomes (`KeyColumn`).

    A whole number has no fraction, whatever type its column has; a time is ISO 8601 in UTC.
    """
    if kind == "BOOLEAN":
        return f"{column}::INTEGER::VARCHAR"
    if TIME.fullmatch(kind):
        return _time_text(f"{column}::TIMESTAMP")
    if kind not in ("DOUBLE", "FLOAT"):
        return f"{column}::VARCHAR"
    whole = f"{column} = trunc({column}) AND abs({column}) < {LARGEST_WHOLE}"
    return f"CASE WHEN {whole} THEN {column}::BIGINT::VARCHAR ELSE {column}::VARCHAR END"


def _time_text(moment: str) -> str:
    whole = f"{moment} = date_trunc('second', {moment})"
    second = f"strftime({moment}, '%Y-%m-%dT%H:%M:%S')"
    return f"{second} || CASE WHEN {whole} THEN 'Z' ELSE strftime({moment}, '.%fZ') END"


def key_columns(
    types: Mapping[str, str], problem: Problem, written: Callable[[str], Notation]
) -> tuple[KeyColumn, ...]:
    """How a request's values of the entity key become those of the store.

    `written` says of a column how its source writes it.
    """
    return tuple(
        KeyColumn(
            name=name,
            number=kind_of(types[name]) == "number",
            time=kind_of(types[name]) == "time",
            zone=zone_of(name, problem),
            spellings=dict(_aliases(name, problem).table),
            notation=written(name) if kind_of(types[name]) == "time" else Notation(),
        )
        for name in problem.entity_key
    )


def zone_of(name: str | None, problem: Problem) -> str | None:
    """The time zone of a column's times that have none, where the contract names one."""
    rule = problem.quality.columns.get(name) if name is not None else None
    return rule.timezone if rule is not None else None


def _aliases(name: str, problem: Problem) -> Spellings:
    rule = problem.quality.columns.get(name)
    return spellings_of({}, aliases=rule.aliases if rule else {}, merge_case=False)


def kind_of(kind: str) -> Kind:
    """What a DuckDB type is in a feature set: a number, a time or a text."""
    if NUMBER.fullmatch(kind):
        return "number"
    return "time" if TIME.fullmatch(kind) else "text"
