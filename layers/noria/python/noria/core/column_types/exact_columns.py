"""Which columns a source's reader keeps as they are written, and which it need not read."""

from collections.abc import Iterable

from noria.contracts import Problem, Source
from noria.core.column_types.type_inference import declared_type


def exact_columns(problem: Problem, source: Source) -> frozenset[str]:
    """Columns whose texts count: keys, and what the contract declares to be texts."""
    declared = [name for name, rule in problem.quality.columns.items()
                if declared_type(rule) in ("category", "text")]  # fmt: skip
    keys = [key for other in problem.sources if other.join is not None for key in other.join.on]
    named = [*declared, *keys, *problem.entity_key, *problem.quality.unique]
    return frozenset(_in_source(named, source))


def excluded_columns(problem: Problem, source: Source) -> frozenset[str]:
    """Columns that may hold what no table can."""
    return frozenset(_in_source(problem.features.exclude, source))


def _in_source(names: Iterable[str], source: Source) -> Iterable[str]:
    """Names as a source's own columns have them: a join puts the source's name before some."""
    for name in names:
        yield name
        yield name.removeprefix(f"{source.name}_")
