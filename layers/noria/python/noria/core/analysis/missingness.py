"""Which columns are missing in the same rows."""

import numpy as np
from pydantic import BaseModel

from noria.common.arrays import Array
from noria.core.data.dataset import Dataset, is_missing

MOST_COLUMNS = 16
MOST_PATTERNS = 8


class Pattern(BaseModel):
    """Columns that are missing together, and the share of rows in which exactly these are."""

    columns: list[str]
    share: float


class Together(BaseModel):
    """Columns that are missing in the same rows, and the share of rows without any of them."""

    columns: list[str]
    share: float


class Missingness(BaseModel):
    """The columns with most values missing, which of them are missing at once, and groups."""

    columns: list[str]
    patterns: list[Pattern]
    groups: list[Together]


def missingness(sample: Dataset, alike: float) -> Missingness:
    """Count the patterns of missing values (Little and Rubin 2002, ch. 1), most frequent first.

    Columns form a group where the rows without either are, by a share of `alike`, those without
    both (Jaccard 1912).
    """
    masks = {
        column.name: is_missing(column.kind, sample.data[column.name]) for column in sample.columns
    }
    counts = {name: int(mask.sum()) for name, mask in masks.items()}
    names = sorted((name for name in masks if counts[name]), key=lambda name: -counts[name])
    shown = names[:MOST_COLUMNS]
    table = np.array([masks[name] for name in shown], dtype=bool).reshape(len(shown), len(sample))
    return Missingness(
        columns=shown,
        patterns=_patterns(shown, table),
        groups=_groups([(name, masks[name]) for name in names], alike),
    )


def _patterns(names: list[str], table: Array) -> list[Pattern]:
    if not names:
        return []
    packed = (1 << np.arange(len(names))) @ table
    codes, counts = np.unique(packed[packed > 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_PATTERNS]
    return [
        Pattern(
            columns=[name for place, name in enumerate(names) if int(codes[at]) >> place & 1],
            share=float(counts[at] / table.shape[1]),
        )
        for at in order
    ]


def _groups(masks: list[tuple[str, Array]], alike: float) -> list[Together]:
    groups: list[tuple[Array, list[str]]] = []
    for name, mask in masks:
        for first, members in groups:
            if (first & mask).sum() >= alike * (first | mask).sum():
                members.append(name)
                break
        else:
            groups.append((mask, [name]))
    return [
        Together(columns=members, share=float(mask.mean()))
        for mask, members in groups
        if len(members) > 1
    ]
