"""The model-ready table that stages hand to each other: numpy arrays, no pandas, no pyarrow."""

import io
import json
import zipfile
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from noria.common.categories import Spellings
from noria.core.data.notation import Notation
from noria.core.data.packed_arrays import packed, unpacked
from noria.core.data.precision import to_single
from noria.errors import DataError

Kind = Literal["number", "category", "timestamp", "text"]
TEXTUAL: tuple[Kind, ...] = ("category", "text")
MISSING_TIMESTAMP = int(np.iinfo(np.int64).min)
MISSING_CATEGORY = ""
FORMAT = 6


@dataclass(frozen=True)
class Column:
    """A raw feature: number (float32), category or text (unicode), timestamp (int64 seconds, UTC).

    A number is a float64 where `double` says that float32 does not tell its values apart.

    `fill` stands in for a missing value; `spellings` brings a category's texts to one spelling.
    Both were applied to the rows of the dataset and apply to every request. `notation` is how the
    source wrote the values.
    """

    name: str
    kind: Kind
    fill: float | str | None = None
    spellings: Spellings = field(default_factory=Spellings)
    notation: Notation = field(default_factory=Notation)
    double: bool = False


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows ready for a model; missing is NaN, "" or MISSING_TIMESTAMP by the column's kind.

    `target` holds int64 class codes (positions in `classes`; binary: negative, positive) or
    float64 values when `classes` is empty. `rule` is the contract rule's answer per row. `groups`
    are codes of entities whose rows must be judged together, or none where rows may be judged one
    by one. `left_out` are the columns of the data that are no features, with how the source wrote
    their values. `slices` are the columns that groups of rows are judged by, features or not
    (numbers, or texts with "" for missing): evaluation alone sees them.
    """

    columns: tuple[Column, ...]
    data: dict[str, NDArray[Any]]
    target: NDArray[Any]
    classes: tuple[str, ...]
    holdout: NDArray[np.bool_]
    event_time: NDArray[np.int64] | None = None
    rule: NDArray[np.float64] | None = None
    left_out: Mapping[str, Notation] = field(default_factory=dict)
    groups: NDArray[np.int64] | None = None
    slices: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Convert every array to its kind's type and refuse lengths that differ."""
        object.__setattr__(self, "columns", tuple(self.columns))
        object.__setattr__(self, "classes", tuple(self.classes))
        object.__setattr__(self, "data", _typed_columns(self.columns, self.data))
        target_type = np.int64 if self.classes else np.float64
        object.__setattr__(self, "target", np.asarray(self.target, dtype=target_type))
        object.__setattr__(self, "holdout", np.asarray(self.holdout, dtype=bool))
        if self.event_time is not None:
            object.__setattr__(self, "event_time", np.asarray(self.event_time, dtype=np.int64))
        if self.groups is not None:
            object.__setattr__(self, "groups", np.asarray(self.groups, dtype=np.int64))
        if self.rule is not None:
            object.__setattr__(self, "rule", np.asarray(self.rule, dtype=np.float64))
        self._check_lengths()

    def _check_lengths(self) -> None:
        parts: dict[str, NDArray[Any] | None] = {**self.data, "target": self.target}
        parts |= {"holdout": self.holdout, "event_time": self.event_time, "rule": self.rule}
        parts["groups"] = self.groups
        parts |= {f"slice {name}": values for name, values in self.slices.items()}
        for name, values in parts.items():
            if values is not None and values.shape != (len(self),):
                raise DataError(
                    f"column {name!r} has shape {values.shape}, the dataset has {len(self)} rows: "
                    "give every column one value per row"
                )

    def __len__(self) -> int:
        """Count the rows."""
        return int(self.target.shape[0])

    @property
    def training(self) -> Self:
        """The rows that models may learn from."""
        return self.take(~self.holdout)

    @property
    def holdout_rows(self) -> Self:
        """The rows that only evaluation sees."""
        return self.take(self.holdout)

    @property
    def without_holdout(self) -> Self:
        """The same rows, all of them to learn from."""
        return replace(self, holdout=np.zeros_like(self.holdout))

    @property
    def training_size(self) -> int:
        """How many rows models may learn from, without copying them."""
        return len(self) - self.holdout_size

    @property
    def holdout_size(self) -> int:
        """How many rows only evaluation sees, without copying them."""
        return int(np.count_nonzero(self.holdout))

    def names(self, kind: Kind | None = None) -> list[str]:
        """List column names in order, all or those of one kind."""
        return [column.name for column in self.columns if kind in (None, column.kind)]

    def notation(self, name: str) -> Notation:
        """How the source wrote a column, a feature or not."""
        known = {column.name: column.notation for column in self.columns}
        return known.get(name) or self.left_out.get(name, Notation())

    def slice_columns(self, names: Iterable[str]) -> dict[str, NDArray[Any]]:
        """The columns that slices go by, those that the rows have; features as they are learnt."""
        known = {**self.data, **self.slices}
        return {name: known[name] for name in names if name in known}

    def only(self, names: Collection[str]) -> Self:
        """Select features by name, in the dataset's order."""
        columns = tuple(column for column in self.columns if column.name in names)
        return replace(
            self, columns=columns, data={one.name: self.data[one.name] for one in columns}
        )

    def take(self, rows: NDArray[Any]) -> Self:
        """Select rows by a boolean mask or by positions."""
        return replace(
            self,
            data={name: values[rows] for name, values in self.data.items()},
            target=self.target[rows],
            holdout=self.holdout[rows],
            event_time=None if self.event_time is None else self.event_time[rows],
            rule=None if self.rule is None else self.rule[rows],
            groups=None if self.groups is None else self.groups[rows],
            slices={name: values[rows] for name, values in self.slices.items()},
        )

    def to_bytes(self) -> bytes:
        """Write an npz archive: equal datasets give equal bytes."""
        arrays = {"header": _header(self), "target": self.target, "holdout": self.holdout}
        for index, column in enumerate(self.columns):
            arrays |= packed(f"column{index}", self.data[column.name])
        for index, values in enumerate(self.slices.values()):
            arrays |= packed(f"slice{index}", values)
        optional = {"event_time": self.event_time, "rule": self.rule, "groups": self.groups}
        arrays |= {name: values for name, values in optional.items() if values is not None}
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Read what `to_bytes` wrote; DataError when the bytes are anything else."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as archive:
                arrays = {name: archive[name] for name in archive.files}
            header = json.loads(arrays["header"].tobytes())
            columns = tuple(_column(*described) for described in header["columns"])
            data = {
                column.name: unpacked(f"column{index}", arrays)
                for index, column in enumerate(columns)
            }
            named = header.get("slices", [])  # format 5 had none
            slices = {name: unpacked(f"slice{index}", arrays) for index, name in enumerate(named)}
            target, holdout = arrays["target"], arrays["holdout"]
        except (zipfile.BadZipFile, ValueError, KeyError, EOFError, OSError, TypeError) as error:
            raise DataError(
                f"these {len(content)} bytes are not a dataset: run EngineerFeatures again"
            ) from error
        optional: dict[str, Any] = {
            name: arrays.get(name) for name in ("event_time", "rule", "groups")
        }
        optional["slices"] = slices
        classes = tuple(header["classes"])
        left_out = {
            name: Notation.model_validate(written) for name, written in header["left_out"].items()
        }
        return cls(columns, data, target, classes, holdout, left_out=left_out, **optional)


def empty_value(kind: Kind) -> float | str | int:
    """Return the value that means missing for a kind of column."""
    missing: dict[Kind, float | str | int] = {
        "number": float("nan"),
        "category": MISSING_CATEGORY,
        "timestamp": MISSING_TIMESTAMP,
        "text": MISSING_CATEGORY,
    }
    return missing[kind]


def is_missing(kind: Kind, values: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark the missing values of one column."""
    if kind == "number":
        return np.asarray(np.isnan(values), dtype=bool)
    return np.asarray(values == empty_value(kind), dtype=bool)


def typed(kind: Kind, values: Any, double: bool = False) -> NDArray[Any]:
    """Convert values to the array type of their kind; infinities become missing."""
    if kind == "number" and double:
        numbers = np.asarray(values, dtype=np.float64)
        return np.where(np.isinf(numbers), np.nan, numbers) if np.isinf(numbers).any() else numbers
    if kind == "number":
        return to_single(values)
    return np.asarray(values, dtype=np.str_ if kind in TEXTUAL else np.int64)


def _typed_columns(
    columns: tuple[Column, ...], data: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:
    names = [column.name for column in columns]
    if len(set(names)) != len(names) or set(names) != set(data):
        raise DataError(
            f"columns {sorted(names)} and data {sorted(data)} differ: give each column once"
        )
    return {column.name: typed(column.kind, data[column.name], column.double) for column in columns}


def _described(column: Column) -> list[Any]:
    texts = [dict(column.spellings.table), column.spellings.fold]
    written = _written(column.notation)
    return [column.name, column.kind, column.fill, *texts, written, column.double]


def _written(notation: Notation) -> dict[str, Any]:
    return notation.model_dump(mode="json", exclude_defaults=True)


def _column(
    name: str,
    kind: Kind,
    fill: float | str | None,
    table: Mapping[str, str],
    fold: bool,
    notation: Mapping[str, Any],
    double: bool = False,
) -> Column:
    written = Notation.model_validate(notation)
    return Column(name, kind, fill, Spellings(table, fold), written, double)


def _header(dataset: Dataset) -> NDArray[np.uint8]:
    content = {
        "format": FORMAT,
        "columns": [_described(column) for column in dataset.columns],
        "classes": list(dataset.classes),
        "left_out": {name: _written(notation) for name, notation in dataset.left_out.items()},
        "slices": [*dataset.slices],
    }
    return np.frombuffer(json.dumps(content).encode(), dtype=np.uint8)
