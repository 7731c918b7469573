"""What was read of one file: its columns as plain Arrow types, and what could not be read."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from noria.common.messages import comma_list
from noria.errors import DataError

NESTED = "nested"


@dataclass(frozen=True)
class FileTable:
    """A file's rows; `left_out` says of each column without plain values what it is instead.

    `notes` are for people who want to know how values were read, `drift` says what columns the
    files of one archive do not share.
    """

    table: pa.Table
    notes: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    drift: tuple[str, ...] = ()


def refuse_left_out(left_out: Mapping[str, str], name: str, excluded: Collection[str] = ()) -> None:
    """Refuse columns that cannot be read, all at once, unless the contract excludes them."""
    needed = {column: kind for column, kind in left_out.items() if column not in excluded}
    nested = [repr(column) for column, kind in needed.items() if kind == NESTED]
    parts = [f"{_columns(nested)} nested"] if nested else []
    parts += [f"column {column!r} {kind}" for column, kind in needed.items() if kind != NESTED]
    if parts:
        listed = "them" if len(needed) > 1 else "it"
        remedy = "flatten into plain columns" if nested else "write it as text, or leave it out"
        raise DataError(
            f"{name}: {' and '.join(parts)}: list {listed} in features.exclude, or, where the "
            f"file can be changed, {remedy}"
        )


def _columns(names: list[str]) -> str:
    if len(names) == 1:
        return f"column {names[0]} is"
    return f"columns {comma_list(names, len(names))} are"


def left_out_notes(names: Collection[str]) -> list[str]:
    """Say which columns were not read, as the contract excludes them."""
    if not names:
        return []
    return [f"without plain values and in features.exclude, so not read: {comma_list(names, 10)}"]
