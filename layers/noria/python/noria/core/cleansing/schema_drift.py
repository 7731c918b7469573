"""Schemas of sources, in this run and in the last: what changed, column by column."""

from collections.abc import Mapping

from noria.common.messages import nearest

Schema = Mapping[str, str]  # a column's name and its type, as Arrow writes it


def schema_drift(before: Mapping[str, Schema], now: Mapping[str, Schema]) -> list[str]:
    """Say per source which columns are new, gone or of another type than in the last run."""
    return [
        f"source {source!r}: {sentence}"
        for source, schema in now.items()
        if source in before
        for sentence in _changes(before[source], schema)
    ]


def _changes(before: Schema, now: Schema) -> list[str]:
    added = [name for name in now if name not in before]
    return [
        *(_gone(name, before[name], added) for name in before if name not in now),
        *(f"column {name!r} ({now[name]}) is new" for name in added),
        *(
            f"column {name!r} was {kind} and is {now[name]}"
            for name, kind in before.items()
            if name in now and now[name] != kind
        ),
    ]


def _gone(name: str, kind: str, added: list[str]) -> str:
    renamed = nearest(name, added)
    hint = f"; was it renamed to {renamed!r}?" if renamed else ""
    return f"column {name!r} ({kind}) is gone{hint}"
