"""DuckDB over the feature store's files: they are fetched once, queried here, and made here."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pandas as pd

from noria.aws.feature_store import FileEntry, Files
from noria.core.feature_store import write_sql as writing
from noria.core.feature_store.duckdb_frames import to_frame
from noria.core.feature_store.feature_set import (
    CREATED_TIME,
    EVENT_TIME,
    Feature,
    FeatureSet,
    StoredColumn,
)
from noria.core.feature_store.new_rows_sql import new_rows_query
from noria.core.feature_store.point_in_time_sql import (
    ENTITIES,
    FeatureFile,
    read_part,
    retrieval_query,
    sql_name,
    sql_text,
    sql_time,
)
from noria.core.feature_store.row_mapping import accepted_rows
from noria.errors import FeatureError

GIVEN = "given"
Write = Callable[[FeatureSet, str, str], str]
NewRowsQuery = Callable[[FeatureSet, Sequence[FeatureFile]], str]
TIMES = [
    StoredColumn.model_construct(name=name, kind="time") for name in (EVENT_TIME, CREATED_TIME)
]
# Nothing is ever downloaded.
SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class Engine:
    """A DuckDB connection with a folder for the files that it reads and writes."""

    def __init__(self, files: Files, connection: Any, folder: Path) -> None:
        self._files = files
        self._sql = connection
        self._folder = folder

    def give(self, rows: pd.DataFrame, name: str = GIVEN) -> str:
        """Show a frame to queries; returns the relation's name."""
        self._sql.execute(f"DROP VIEW IF EXISTS {name}")
        self._sql.register(name, rows)
        return name

    def view(self, name: str, query: str) -> None:
        """Name a query, for others to read from."""
        self._sql.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {query}")

    def ask(self, query: str) -> dict[str, Any]:
        """A query's columns as numpy arrays, masked where values are missing."""
        found: dict[str, Any] = self._sql.execute(query).fetchnumpy()
        return found

    def count(self, query: str) -> int:
        """How many rows a query has."""
        [(rows,)] = self._sql.execute(f"SELECT count(*) FROM ({query})").fetchall()  # noqa: S608
        return int(rows)

    def span(self, relation: str) -> tuple[str, str]:
        """The first and last event time of a relation (naive UTC)."""
        [(first, last)] = self._sql.execute(writing.span_query(relation)).fetchall()
        return str(first), str(last)

    def types(self, path: Path) -> dict[str, str]:
        """A Parquet file's columns, named as they are in it, with their DuckDB types."""
        described = self._sql.execute(f"DESCRIBE FROM read_parquet({sql_text(str(path))})")
        kinds = [kind for _, kind, *_ in described.fetchall()]
        return dict(zip(self._names(path), kinds, strict=True))

    def _names(self, path: Path) -> list[str]:
        """A Parquet file's columns by name; DuckDB renames those that differ by case only."""
        query = f"SELECT name, num_children FROM parquet_schema({sql_text(str(path))})"  # noqa: S608
        _, *nodes = self._sql.execute(query).fetchall()
        names, within = [], 0  # the nodes within a nested column follow it
        for name, children in nodes:
            if not within:
                names.append(name)
            within = max(within - 1, 0) + (children or 0)
        return names

    def empty_columns(self, path: Path) -> set[str]:
        """The columns of a Parquet file that hold no value."""
        types = self.types(path)
        counts = ", ".join(f"count(c{place})" for place, _ in enumerate(types))
        query = f"SELECT {counts} FROM {accepted_rows(types, str(path))}"  # noqa: S608
        [found] = self._sql.execute(query).fetchall()
        return {name for name, count in zip(types, found, strict=True) if not count}

    def accept(
        self, feature_set: FeatureSet, relation: str, since: datetime | None = None
    ) -> tuple[int, str]:
        """Make a relation's rows those to be written; returns their number and digest.

        Rows of event times before `since` (aware) are left out. Raises `FeatureError` for an entity
        with several rows at one event time, where the set takes none such.
        """
        typed = writing.typed_query(feature_set, relation, since)
        self._sql.execute(f"CREATE OR REPLACE TEMP VIEW {writing.INCOMING} AS {typed}")
        if feature_set.entity_key and not feature_set.repeats:
            self._refuse_repeats(feature_set)
        [(rows, digest)] = self._sql.execute(writing.digest_query(feature_set)).fetchall()
        return int(rows), f"{rows}-{digest}"

    def make_file(
        self,
        feature_set: FeatureSet,
        stored: Sequence[FileEntry],
        news: NewRowsQuery = new_rows_query,
    ) -> tuple[bytes, dict[str, Any]]:
        """A Parquet file of what accepted rows tell that is new, and what its manifest says of it.

        `news` says what that is, beside the stored files.
        """
        rows = news(feature_set, self.local(stored))
        return self._file(feature_set, feature_set.columns, writing.write_query, rows)

    def merge(
        self, feature_set: FeatureSet, entries: Sequence[FileEntry]
    ) -> tuple[bytes, dict[str, Any]]:
        """One file in the place of several of the same columns, and what its manifest says."""
        columns = [one for one in feature_set.columns if one.name in entries[0].columns]
        rows = writing.merge_query(feature_set, self.local(entries))
        return self._file(feature_set, columns, writing.write_merged_query, rows)

    def _file(
        self, feature_set: FeatureSet, columns: Sequence[StoredColumn], write: Write, rows: str
    ) -> tuple[bytes, dict[str, Any]]:
        with TemporaryDirectory(dir=self._folder) as folder:
            path = str(Path(folder) / "part.parquet")
            self._sql.execute(write(feature_set, rows, path))
            content = Path(path).read_bytes()
            return content, {
                **self._described(columns, path),
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "columns": tuple(column.name for column in columns),
            }

    def retrieve(
        self,
        feature_set: FeatureSet,
        features: Sequence[Feature],
        entries: Sequence[FileEntry],
        rows: pd.DataFrame,
        *,
        known_by: datetime | None = None,
        times: bool = False,
    ) -> pd.DataFrame:
        """The features of entity rows, in their order; `times` adds the stored rows' own two."""
        parts = self.local(entries)
        query = retrieval_query(feature_set, features, parts, known_by=known_by, times=times)
        self.give(rows, ENTITIES)
        found = self._sql.execute(query).fetchnumpy()
        return to_frame(found, [*features, *(TIMES if times else [])])

    def entities(
        self, feature_set: FeatureSet, entries: Sequence[tuple[FileEntry, datetime | None]]
    ) -> pd.DataFrame:
        """Every entity of these files once, in order.

        Where a file has an instant (aware), only entities of rows that were to come by then.
        """
        keys = ", ".join(map(sql_name, feature_set.keys))
        visible = f"greatest({EVENT_TIME}, {CREATED_TIME})"
        parts = self.local([entry for entry, _ in entries])
        selects = [
            f"SELECT {keys} FROM {read_part(part)}"  # noqa: S608
            + (f" WHERE {visible} > {sql_time(since)}" if since else "")
            for part, (_, since) in zip(parts, entries, strict=True)
        ]
        query = f"SELECT * FROM ({' UNION '.join(selects)}) GROUP BY ALL ORDER BY ALL"  # noqa: S608
        return to_frame(self._sql.execute(query).fetchnumpy(), feature_set.entity_key)

    def local(self, entries: Sequence[FileEntry]) -> list[FeatureFile]:
        """The files at hand: fetched once, checked against the manifest."""
        parts, first = [], 0
        for entry in entries:
            path = self._folder / f"{entry.sha256}.parquet"
            if not path.exists():
                path.write_bytes(self._files.fetch(entry))
            columns = frozenset(entry.columns)
            spans = (entry.event_time, entry.created_time)
            parts.append(FeatureFile(str(path), first, entry.rows, columns, *spans))
            first += entry.rows
        return parts

    def _refuse_repeats(self, feature_set: FeatureSet) -> None:
        found = self._sql.execute(writing.repeats_query(feature_set)).fetchall()
        if not found:
            return
        *key, moment, times, count = found[0]
        named = ", ".join(f"{k}={v!r}" for k, v in zip(feature_set.keys, key, strict=True))
        more = f" (and {count - 1} more such)" if count > 1 else ""
        raise FeatureError(
            f"rows for feature set '{feature_set.name}': {named} has {times} rows at event time "
            f"{moment.isoformat()}Z{more}; keep one of each, or define the set with repeats"
        )

    def _described(self, columns: Sequence[StoredColumn], path: str) -> dict[str, Any]:
        [(rows, *spans)] = self._sql.execute(writing.bounds_query(path)).fetchall()
        spans = [span or 0 for span in spans]
        features = [column for column in columns if isinstance(column, Feature)]
        statistics = {}
        if features:
            [found] = self._sql.execute(writing.statistics_query(features, path)).fetchall()
            statistics = dict(zip([one.name for one in features], found, strict=True))
        return {"rows": rows, EVENT_TIME: tuple(spans[:2]), CREATED_TIME: tuple(spans[2:]),
                "statistics": statistics}  # fmt: skip


@contextmanager
def open_engine(
    files: Files, threads: int | None = None, megabytes: int | None = None
) -> Iterator[Engine]:
    """An engine with a temporary folder, both gone afterwards.

    By default DuckDB takes all processors, and four fifths of the memory; what is more is spilt.
    """
    given = {"threads": threads, "memory_limit": megabytes and f"{megabytes}MB"}
    limits = {name: value for name, value in given.items() if value is not None}
    with TemporaryDirectory(prefix="noria-features-") as folder:
        connection = duckdb.connect(config={**SETTINGS, **limits, "temp_directory": folder})
        # The order of rows is said where it matters; not keeping it elsewhere saves memory.
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("SET TimeZone = 'UTC'")  # whatever the machine's is
        try:
            yield Engine(files, connection, Path(folder))
        except duckdb.OutOfMemoryException as error:
            raise FeatureError(
                f"the feature store's rows take more memory and disk than there is ({error}): "
                "merge files with `noria features compact`, collect fewer columns or rows, or "
                "raise scaling.memory"
            ) from error
        finally:
            connection.close()
