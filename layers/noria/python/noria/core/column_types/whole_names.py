"""Expressions of the contract that are, as a whole, the name of a column: they are that column."""

from collections.abc import Iterable

from noria.common.expression_text import column_of, quoted, with_texts
from noria.contracts import Problem


def with_whole_names(problem: Problem, columns: Iterable[str]) -> Problem:
    """The contract with what names one of these columns exactly in double quotes, and only that.

    `Order-Date` is a difference, unless the data have a column of that name; the text in
    `status == "paid"` is one, unless they have a column `paid`.
    """
    known = frozenset(map(str, columns))

    def as_column(text: str | None) -> str | None:
        if text is None:
            return None
        if column_of(text) is None and text.strip() in known:
            return quoted(text.strip())
        return with_texts(text, known)

    target, baseline, quality = problem.target, problem.baseline, problem.quality
    changed = {
        "event_time": as_column(problem.event_time),
        "target": target.model_copy(update={"expression": as_column(target.expression)}),
        "baseline": baseline.model_copy(update={"rule": as_column(baseline.rule)}),
        "quality": quality.model_copy(update={"checks": [*map(as_column, quality.checks)]}),
    }
    same = all(getattr(problem, name) == value for name, value in changed.items())
    return problem if same else problem.model_copy(update=changed)
