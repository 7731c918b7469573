"""Expressions of the contract that are, as a whole, the name of a column: they are that column."""

from collections.abc import Iterable

from noria.common.expression_text import column_of, quoted
from noria.contracts import Problem


def with_whole_names(problem: Problem, columns: Iterable[str]) -> Problem:
    """The contract with what names one of these columns exactly in double quotes.

    `Order-Date` is a difference, unless the data have a column of that name.
    """
    known = frozenset(map(str, columns))

    def as_column(text: str | None) -> str | None:
        is_name = text is not None and column_of(text) is None and text.strip() in known
        return quoted(text.strip()) if text is not None and is_name else text

    target, baseline, quality = problem.target, problem.baseline, problem.quality
    changed = {
        "event_time": as_column(problem.event_time),
        "target": target.model_copy(update={"expression": as_column(target.expression)}),
        "baseline": baseline.model_copy(update={"rule": as_column(baseline.rule)}),
        "quality": quality.model_copy(update={"checks": [*map(as_column, quality.checks)]}),
    }
    same = all(getattr(problem, name) == value for name, value in changed.items())
    return problem if same else problem.model_copy(update=changed)
