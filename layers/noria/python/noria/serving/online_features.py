"""The time-window aggregations that request rows do not carry, from the online table."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from noria.aws.feature_store.dynamodb_online import OnlineTable
from noria.core.windows.lookup_spec import LookupSpec
from noria.core.windows.online_windows import windows_of
from noria.serving.requests import Row


def with_history(
    rows: Sequence[Row],
    history: LookupSpec,
    table: Callable[[], OnlineTable] | None,
    now: datetime,
) -> list[Row]:
    """Complete rows by the windows that they do not carry; raises `RequestError`, `FeatureError`.

    A window that a row carries stays as it is, null included. The table is asked only where
    something is to be looked up; without one the windows are missing.
    """
    if all(row.keys() >= set(history.names) for row in rows):
        return list(rows)
    if table is None:
        return [dict.fromkeys(history.names) | dict(row) for row in rows]
    names = set(history.names)
    keys = [
        None if row.keys() >= names else history.key_of(number, row)
        for number, row in enumerate(rows)
    ]
    instants = [history.instant_of(number, row, now) for number, row in enumerate(rows)]
    found = table().read(history.feature_set, [key for key in keys if key is not None])
    items = iter(found)
    latest = [next(items) if key is not None else None for key in keys]
    histories = [item.history if item else b"" for item in latest]
    values = windows_of(histories, history.windows, np.array(instants), history.delay)
    return [
        {name: _plain(column[number]) for name, column in values.items()} | dict(row)
        for number, row in enumerate(rows)
    ]


def _plain(value: Any) -> float | None:
    """A float32 as JSON has it: the shortest number that is it, null where it is missing."""
    return None if np.isnan(value) else float(str(value))
