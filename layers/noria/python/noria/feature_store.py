"""The feature store: features by entity and time, never seen before they were known.

Files are in S3, definitions in the Glue catalogue; DuckDB reads and writes the files.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from noria.aws.feature_store import Catalogue, Entry, Files
from noria.aws.feature_store.files import agree
from noria.core.entity_frames import aware, entity_rows, feature_rows
from noria.core.feature_sets import CREATED_TIME, FeatureSet
from noria.core.point_in_time import PREDICTION_TIME
from noria.errors import FeatureError
from noria.feature_engine import Engine, open_engine
from noria.feature_registry import FeatureRegistry


@dataclass(frozen=True)
class Reference:
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


class FeatureStore(FeatureRegistry):
    """The feature sets of one stack: their definitions, and their rows."""

    def __init__(self, files: Files, catalogue: Catalogue, engine: Engine) -> None:
        super().__init__(files, catalogue)
        self.engine = engine

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
        return self.write_relation(feature_set, self.engine.give(frame), run=run)

    def write_relation(self, feature_set: FeatureSet, relation: str, *, run: str) -> Written:
        """Add the rows of a relation of the engine's, whose times are naive UTC."""
        total, given = self.engine.accept(feature_set, relation)
        manifest = self._files.current(feature_set.table)
        entry = manifest.of_run(run)
        if entry is None:
            comparable = feature_set.entity_key and not feature_set.repeats
            stored = manifest.entries if comparable else ()
            content, described = self.engine.make_file(feature_set, stored)
            if not described["rows"]:
                return Written(feature_set, total, 0)
            key = self._files.put(feature_set.table, run, content)
            entry = Entry(run=run, key=key, given=given, **described)
        agree(entry, given)
        self._publish(feature_set, entry)
        return Written(feature_set, total, entry.rows)

    def historical_features(
        self,
        entities: pd.DataFrame,
        references: Sequence[Reference],
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
            columns = self.engine.retrieve(
                feature_set, feature_set.choose(reference.features), self.entries(feature_set),
                rows, known_by=known_by,
            )  # fmt: skip
            _refuse_double(found, columns, reference)
            found[columns.columns] = columns.set_axis(found.index)
        return found

    def latest_features(
        self, keys: pd.DataFrame, reference: Reference, *, at: datetime, times: bool = False
    ) -> pd.DataFrame:
        """The features of entities as they are known at an instant; `times` adds the rows' own."""
        feature_set = self.feature_set(reference.name, reference.version)
        asked = keys.assign(**{PREDICTION_TIME: pd.Timestamp(aware(at, "at"))})
        rows = entity_rows(asked, feature_set, PREDICTION_TIME, "keys")
        features = feature_set.choose(reference.features)
        entries = self.entries(feature_set)
        return self.engine.retrieve(feature_set, features, entries, rows, times=times)

    def entries(self, feature_set: FeatureSet) -> tuple[Entry, ...]:
        """The files that readers see now; raises `FeatureError` where there are none."""
        entries = self._files.current(feature_set.table).entries
        if not entries:
            raise FeatureError(
                f"feature set '{feature_set.name}' version {feature_set.version} has no rows yet; "
                "run the machine, or write some"
            )
        return entries

    def _publish(self, feature_set: FeatureSet, entry: Entry) -> None:
        """The store's readers see the rows once the pointer moved, Athena's a moment later."""
        manifest = self._files.publish(feature_set.table, entry)
        self._catalogue.add_partition(feature_set.table, entry.run, self._files.folder(entry))
        latest = manifest.entries[-1]  # another run's, where this delivery is repeated late
        statistics = {"run": latest.run, "rows": latest.rows, "columns": latest.statistics}
        self._catalogue.set_statistics(feature_set.table, json.dumps(statistics))


@contextmanager
def open_feature_store(
    files: Files, catalogue: Catalogue, threads: int | None = None, megabytes: int | None = None
) -> Iterator[FeatureStore]:
    """The feature store of a stack, with a temporary folder that is gone afterwards."""
    with open_engine(files, threads, megabytes) as engine:
        yield FeatureStore(files, catalogue, engine)


def _refuse_double(found: pd.DataFrame, columns: pd.DataFrame, reference: Reference) -> None:
    double = next((name for name in columns if name in found), None)
    if double is not None:
        raise FeatureError(
            f"'{double}' of feature set '{reference.name}' is there already; name the features "
            "that you want, or rename the entities' column"
        )
