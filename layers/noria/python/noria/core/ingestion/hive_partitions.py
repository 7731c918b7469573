"""Columns that a file's folders give: ``year=2013/month=01/part.csv``, as Hive lays them out."""

import re
from collections.abc import Collection, Sequence
from urllib.parse import unquote

import pyarrow as pa

from noria.common.messages import comma_list
from noria.errors import DataError

HIVE_MISSING = "__HIVE_DEFAULT_PARTITION__"
_FOLDER = re.compile(r"([^=/]+)=([^/]*)")
_WHOLE, _PADDED = r"0|-?[1-9][0-9]{0,17}", r"0[0-9]"


def partition_values(name: str, exact: Collection[str] = ()) -> dict[str, str | int | None]:
    """The columns in a file's folders; whole numbers are numbers, as Hive reads them.

    Months such as 01 are numbers too, but not in the columns of `exact`.
    """
    found = {}
    for folder in name.split("/")[:-1]:
        match = _FOLDER.fullmatch(folder)
        if match:
            column = unquote(match[1])
            found[column] = _value(unquote(match[2]), exact=column in exact)
    return found


def with_partitions(table: pa.Table, name: str, exact: Collection[str] = ()) -> pa.Table:
    """A file's table with its folders' columns; a column of the file itself wins."""
    for column, value in partition_values(name, exact).items():
        if column not in table.column_names:
            kind = pa.int64() if isinstance(value, int) else pa.large_string()
            table = table.append_column(column, pa.array([value] * len(table), kind))
    return table


def check_partitions(names: Sequence[str]) -> None:
    """Refuse files of which some lie in folders that give a column, and others do not."""
    first = set(partition_values(names[0])) if names else set[str]()
    for name in names[1:]:
        columns = set(partition_values(name))
        differing = {"lacks": first - columns, "also has": columns - first}
        parts = [
            f"{verb} {comma_list(sorted(found))}" for verb, found in differing.items() if found
        ]
        if parts:
            raise DataError(
                f"{name} has other folders than {names[0]}: it {' and '.join(parts)}. Put all "
                "files of one source into folders of the same columns, or none"
            )


def _value(text: str, *, exact: bool) -> str | int | None:
    if text == HIVE_MISSING:
        return None
    whole = _WHOLE if exact else f"{_WHOLE}|{_PADDED}"
    return int(text) if re.fullmatch(whole, text) else text
