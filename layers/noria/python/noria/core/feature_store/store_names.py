"""What the store calls the columns of the data: named once, and never by two names or one for two.

The catalogue takes lower-case names of 255 bytes, Athena no signs in them, DuckDB tells no upper
from lower case, and the store has columns of its own.
"""

import hashlib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from noria.core.feature_store.feature_set import LONGEST_NAME, FeatureSet, is_reserved

DIGEST = 8
NAMELESS = "column"


def store_names(
    columns: Sequence[str], latest: FeatureSet | None = None, taken: Iterable[str] = ()
) -> dict[str, str]:
    """The store's name of each column, as the `latest` version of the set has it where it does.

    A column whose name fits as it stands keeps it before others get it. `taken` are the names of
    what is not stored.
    """
    not_free = frozenset(taken)
    known = {c: name for c, name in _known(columns, latest).items() if name not in not_free}
    held = {column.name for column in latest.columns} if latest else set()
    names, used = {c: known[c] for c in columns if c in known}, {*not_free, *held}
    others = [column for column in columns if column not in names]
    for column in sorted(others, key=lambda name: is_reserved(name) or plain_name(name) != name):
        names[column] = _free_name(column, used)
        used.add(names[column])
    return {column: names[column] for column in columns}


def names_in(feature_set: FeatureSet) -> dict[str, str]:
    """The store's name of each column of the data that a set was made of."""
    return {column.source_column: column.name for column in feature_set.columns
            if column.source_column is not None}  # fmt: skip


def is_keyed_by(feature_set: FeatureSet, entity_key: Sequence[str]) -> bool:
    """Whether a set's rows are named by these columns of the data."""
    names = store_names(entity_key, feature_set)
    return feature_set.keys == [names[column] for column in entity_key]


def plain_name(column: str) -> str:
    """A column's name in lower case, its accents composed, with one underscore for other signs."""
    lower = unicodedata.normalize("NFC", unicodedata.normalize("NFC", column).lower())
    words = "".join(char if _is_kept(char) else " " for char in lower).split()
    return "_".join(words) or NAMELESS


def _is_kept(char: str) -> bool:
    """Whether it is a letter, a mark upon one, a digit or an underscore."""
    return char == "_" or unicodedata.category(char)[0] in "LMN"


def _known(columns: Sequence[str], latest: FeatureSet | None) -> Mapping[str, str]:
    """The names in the latest version; one that tells no source named columns by lower case."""
    if latest is None:
        return {}
    known = names_in(latest)
    unsaid = {column.name for column in latest.columns if column.source_column is None}
    for column in columns:
        lower = column.lower()
        name = f"{lower}_value" if is_reserved(lower) else lower
        if column not in known and name in unsaid:
            unsaid.remove(name)
            known[column] = name
    return known


def _free_name(column: str, used: set[str]) -> str:
    """A name that is nobody's; where the plain one is not free, a digest of the column tells."""
    plain = plain_name(column)
    wanted = f"{plain}_value" if is_reserved(plain) else plain
    fits = len(wanted.encode()) <= LONGEST_NAME and not is_reserved(wanted)
    if fits and wanted not in used:
        return wanted
    digest = hashlib.sha256(column.encode()).hexdigest()
    start = "feature" if is_reserved(plain) else plain
    for length in range(DIGEST, len(digest)):
        name = f"{_cut(start, LONGEST_NAME - length - 1)}_{digest[:length]}"
        if name not in used:
            break
    return name


def _cut(text: str, size: int) -> str:
    """A text's start that fits into so many bytes, in whole characters."""
    return text.encode()[:size].decode(errors="ignore")
