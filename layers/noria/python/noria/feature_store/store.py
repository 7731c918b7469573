"""The feature store: features by entity and time, never seen before they were known.

Files are in S3, definitions in the Glue catalogue; DuckDB reads and writes the files.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pandas as pd

from noria.aws.feature_store import (
    Catalogue,
    FileEntry,
    Files,
    Manifest,
    MissingFileError,
    RunShare,
)
from noria.aws.feature_store.manifest import agree
from noria.core.feature_store.entity_frames import aware, entity_rows, feature_rows
from noria.core.feature_store.feature_set import CREATED_TIME, PREDICTION_TIME, FeatureSet
from noria.core.feature_store.new_rows_sql import new_rows_query, succeeding_rows_query
from noria.core.feature_store.point_in_time_sql import ENTITIES
from noria.core.feature_store.versioning import names_rows_alike, tells_rows_apart
from noria.core.feature_store.write_sql import instant, since_epoch
from noria.errors import FeatureError
from noria.feature_store.duckdb_engine import Engine, NewRowsQuery, open_engine
from noria.feature_store.maintenance import Compacted, Maintenance
from noria.feature_store.registry import FeatureRegistry
from noria.feature_store.windows import window_values


@dataclass(frozen=True)
class FeatureReference:
    """Features asked for: of a set's latest version, and all, where nothing else is said."""

    name: str
    features: Sequence[str] | None = None
    version: int | None = None


@dataclass(frozen=True)
class Written:
    """What a write did: of the rows given, how many said something new."""

    feature_set: FeatureSet
    given: int
    rows: int


@dataclass(frozen=True)
class StoredFiles:
    """What rows are written beside: the version's files, or else those of the version before it.

    `definition` is that of the `earlier` version, whose rows go on.
    """

    manifest: Manifest
    earlier: Manifest | None = None
    definition: FeatureSet | None = None

    @property
    def entries(self) -> tuple[FileEntry, ...]:
        """The files that are read."""
        return (self.earlier or self.manifest).entries

    def previous(self, run: str) -> int | None:
        """The logical time of the run before a run, the same for a repeated delivery."""
        if self.earlier is not None:
            return self.earlier.as_of
        return self.manifest.previous(run)


class FeatureStore(FeatureRegistry):
    """The feature sets of one stack: their definitions, and their rows."""

    def __init__(
        self,
        files: Files,
        catalogue: Catalogue,
        engine: Engine,
        retention: timedelta | None = None,
    ) -> None:
        super().__init__(files, catalogue)
        self.engine = engine
        self.keeper = Maintenance(files, catalogue, engine, retention)

    def write(
        self, feature_set: FeatureSet, rows: pd.DataFrame, *, run: str, created: datetime
    ) -> Written:
        """Add rows that were created at `created`, unless they have a column `created_time`.

        Times are aware. Rows equal to what the store holds are left out; the others become visible
        together. The same run may be repeated. Raises `FeatureError` for rows that do not fit.
        """
        frame = feature_rows(rows, feature_set)
        stamp = aware(created, "created")
        if CREATED_TIME not in frame:
            frame[CREATED_TIME] = pd.Timestamp(stamp).tz_localize(None).as_unit("us")
        return self.write_relation(feature_set, self.engine.give(frame), run=run, as_of=stamp)

    def write_relation(
        self,
        feature_set: FeatureSet,
        relation: str,
        *,
        run: str,
        as_of: datetime | None = None,
        beside: StoredFiles | None = None,
    ) -> Written:
        """Add the rows of a relation of the engine's, whose times are naive UTC.

        `as_of` is the run's logical time, kept with its file. `beside` is what the relation was
        made beside; what others publish meanwhile is kept, and no part of the comparison.
        """
        total, given = self.engine.accept(feature_set, relation, self.keeper.oldest(as_of))
        there = beside or StoredFiles(self._compared(feature_set))
        share = there.manifest.share_of(run)
        if share is None:
            moment = None if as_of is None else since_epoch(as_of)
            before = there.previous(run)
            share = RunShare(run=run, given=given, rows=0, as_of=moment, before=before)
            share = self._file(feature_set, share, there)
        agree(share, given)
        self.keeper.publish(feature_set, [share])
        return Written(feature_set, total, share.rows)

    def repeat(self, feature_set: FeatureSet, share: RunShare) -> Written:
        """Publish again what a run brought, whose rows cannot be made again as they were."""
        self.keeper.publish(feature_set, [share])
        return Written(feature_set, int(share.given.partition("-")[0]), share.rows)

    def latest_run(self, feature_set: FeatureSet) -> datetime | None:
        """The latest logical time of all runs, None before the first."""
        return instant(self._files.current(feature_set.table).as_of)

    def beside(self, feature_set: FeatureSet) -> StoredFiles:
        """What a run's rows are written beside now, with the files that they are compared with.

        A version without rows goes on from the last that has some, where rows are named alike.
        """
        manifest = self._compared(feature_set)
        for version in range(feature_set.version - 1, 0, -1) if not manifest.serial else ():
            before = self.feature_set(feature_set.name, version)
            if not names_rows_alike(before, feature_set):
                continue
            earlier = self._at_hand(before)
            if earlier.entries:
                return StoredFiles(manifest, earlier, before)
        return StoredFiles(manifest)

    def _compared(self, feature_set: FeatureSet) -> Manifest:
        if tells_rows_apart(feature_set):
            return self._at_hand(feature_set)
        return self._files.current(feature_set.table)

    def _file(self, feature_set: FeatureSet, share: RunShare, beside: StoredFiles) -> RunShare:
        """Put the accepted rows that say something new into a file, where there are any.

        A set whose rows cannot be told apart gets a whole file each time, but not the same again.
        """
        entries = beside.manifest.entries
        last = entries[-1].shares[-1] if entries else None
        if last is not None and last.given == share.given:
            return share
        news: NewRowsQuery = new_rows_query
        stored = beside.entries if tells_rows_apart(feature_set) else ()
        if beside.definition is not None:
            news = partial(succeeding_rows_query, before=beside.definition)
        content, described = self.engine.make_file(feature_set, stored, news)
        if not described["rows"]:
            return share
        key = self._files.put(feature_set.table, share.run, content)
        return FileEntry(**(share.model_dump() | described), key=key)

    def compact(self, name: str, version: int | None = None) -> Compacted:
        """Merge neighbouring small files, leave out what is too old, and clear up."""
        return self.keeper.compact(self.feature_set(name, version))

    def historical_features(
        self,
        entities: pd.DataFrame,
        references: Sequence[FeatureReference],
        *,
        time_column: str = PREDICTION_TIME,
        as_of: datetime | None = None,
    ) -> pd.DataFrame:
        """The entities' rows with the features that were known at each row's own time.

        `time_column` has aware times. `as_of` hides what was created later than that too, as if
        asked then. An entity without rows has missing values. Raises `FeatureError`.
        """
        found = entities.copy()
        known_by = None if as_of is None else aware(as_of, "as_of")
        for reference in references:
            feature_set = self.feature_set(reference.name, reference.version)
            rows = entity_rows(entities, feature_set, time_column)
            columns = self._retrieve(feature_set, reference, rows, known_by=known_by)
            _refuse_double(found, columns, reference)
            found[columns.columns] = columns.set_axis(found.index)
        return found

    def latest_features(
        self, keys: pd.DataFrame, reference: FeatureReference, *, at: datetime, times: bool = False
    ) -> pd.DataFrame:
        """The features of entities as they are known at an instant; `times` adds the rows' own."""
        feature_set = self.feature_set(reference.name, reference.version)
        asked = keys.assign(**{PREDICTION_TIME: pd.Timestamp(aware(at, "at"))})
        rows = entity_rows(asked, feature_set, PREDICTION_TIME, "keys")
        return self._retrieve(feature_set, reference, rows, times=times)

    def _retrieve(
        self, feature_set: FeatureSet, reference: FeatureReference, rows: pd.DataFrame, **how: Any
    ) -> pd.DataFrame:
        """Stored features, and the time-window aggregations beside them."""
        features, windows = feature_set.split(reference.features)
        entries = self.entries(feature_set)
        found = pd.DataFrame(index=range(len(rows)))
        if features or how.get("times"):
            found = self.engine.retrieve(feature_set, features, entries, rows, **how)
        if not windows:
            return found
        self.engine.give(rows, ENTITIES)
        known_by = how.get("known_by")
        values = window_values(self.engine, feature_set, windows, entries, known_by)
        return pd.concat([found, values], axis=1)

    def stored(self, feature_set: FeatureSet) -> tuple[FileEntry, ...]:
        """The files that readers see now, at hand; none before the first write."""
        return self._at_hand(feature_set).entries

    def entries(self, feature_set: FeatureSet) -> tuple[FileEntry, ...]:
        """The files that readers see now; raises `FeatureError` where there are none."""
        entries = self.stored(feature_set)
        if not entries:
            raise FeatureError(
                f"feature set '{feature_set.name}' version {feature_set.version} has no rows yet; "
                "run the machine, or write some; or its rows are older than features.retention"
            )
        return entries

    def _at_hand(self, feature_set: FeatureSet) -> Manifest:
        """The current manifest, with all of its files fetched.

        One that another writer replaced while they were fetched may name files that are gone.
        """
        manifest = self._files.current(feature_set.table)
        while True:
            try:
                self.engine.local(manifest.entries)
            except MissingFileError:
                now = self._files.current(feature_set.table)
                if now.serial == manifest.serial:
                    raise
                manifest = now
            else:
                return manifest


@contextmanager
def open_feature_store(
    files: Files,
    catalogue: Catalogue,
    threads: int | None = None,
    megabytes: int | None = None,
    retention: timedelta | None = None,
) -> Iterator[FeatureStore]:
    """The feature store of a stack, with a temporary folder that is gone afterwards.

    Rows whose event time is more than `retention` before the latest run's logical time are not
    kept; by default all are.
    """
    with open_engine(files, threads, megabytes) as engine:
        yield FeatureStore(files, catalogue, engine, retention)


def _refuse_double(found: pd.DataFrame, columns: pd.DataFrame, reference: FeatureReference) -> None:
    double = next((name for name in columns if name in found), None)
    if double is not None:
        raise FeatureError(
            f"'{double}' of feature set '{reference.name}' is there already; name the features "
            "that you want, or rename the entities' column"
        )
