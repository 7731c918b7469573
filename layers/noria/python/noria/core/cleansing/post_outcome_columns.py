"""Post-outcome columns, filled only once the outcome is known: features that leak the target."""

from collections.abc import Iterable

import pandas as pd


def post_outcome_columns(
    values: pd.DataFrame,
    target: pd.Series,
    columns: Iterable[str],
    late: float,
    fewest: int,
) -> list[str]:
    """Name the columns that rows with a target have more often than those without, by `late`.

    Rows without a target are those whose outcome is still to come (or never came): a column that
    is empty there and filled elsewhere is written together with the outcome. Fewer rows of either
    kind than `fewest` tell nothing.
    """
    unlabelled = target.isna()
    if min(unlabelled.sum(), (~unlabelled).sum()) < fewest:
        return []
    present = values[list(columns)].notna()
    gap = present[~unlabelled].mean() - present[unlabelled].mean()
    return [str(name) for name, difference in gap.items() if difference >= late]
