"""Columns that a file's folders give: ``year=2013/month=01/part.csv``, as Hive lays them out."""

import re
from urllib.parse import unquote

import pandas as pd

HIVE_MISSING = "__HIVE_DEFAULT_PARTITION__"
_FOLDER = re.compile(r"([^=/]+)=([^/]*)")


def partition_values(name: str) -> dict[str, str | int | None]:
    """The columns in a file's folders; whole numbers are numbers, as Hive reads them."""
    found = {}
    for folder in name.split("/")[:-1]:
        match = _FOLDER.fullmatch(folder)
        if match:
            found[unquote(match[1])] = _value(unquote(match[2]))
    return found


def with_partitions(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """A file's table with its folders' columns; a column of the file itself wins."""
    values = partition_values(name)
    return frame.assign(**{k: v for k, v in values.items() if k not in frame.columns})


def _value(text: str) -> str | int | None:
    if text == HIVE_MISSING:
        return None
    return int(text) if re.fullmatch(r"0|-?[1-9][0-9]{0,17}|0[0-9]", text) else text
