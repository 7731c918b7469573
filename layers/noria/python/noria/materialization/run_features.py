"""A run's accepted rows into the feature store, their history out of it, and the online table."""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from noria.aws.clients import client
from noria.aws.feature_store import Catalogue, FileEntry, Files, OnlineTable
from noria.aws.feature_store.dynamodb_online import table_of
from noria.aws.s3 import Store
from noria.common.arrays import Array
from noria.contracts import Problem
from noria.core.column_types.whole_names import with_whole_names
from noria.core.data.dataset import Dataset
from noria.core.feature_store.entity_keys import key_columns, zone_of
from noria.core.feature_store.feature_set import DEFAULT_SET, FeatureSet, WindowFeature
from noria.core.feature_store.new_rows_sql import late_rows_query, with_stored_values_query
from noria.core.feature_store.point_in_time_sql import ENTITIES, POSITION, key_aliases
from noria.core.feature_store.row_mapping import (
    select_asked_rows,
    select_feature_rows,
    to_feature_set,
)
from noria.core.feature_store.store_names import names_in
from noria.core.feature_store.versioning import (
    Kept,
    keep_version,
    names_rows_alike,
    tells_rows_apart,
    with_known_kinds,
)
from noria.core.feature_store.write_sql import instant, since_epoch
from noria.core.windows.lookup_spec import LookupSpec
from noria.core.windows.run_windows import with_columns
from noria.feature_store.online import OnlineFeatures
from noria.feature_store.store import FeatureStore, Written, open_feature_store
from noria.feature_store.windows import window_values
from noria.lifecycle.stage import Stage

TARGET = "target"
EXAMPLES = 3
LOADED = "features-online"  # what the online table holds, by feature set
MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"  # which Lambda sets, in MB


class Stored(NamedTuple):
    """What storing rows did, and the columns that they came `without` and the set still has.

    Rows without these are not stored (`written` is None) where nothing tells which row is which.
    """

    feature_set: FeatureSet
    written: Written | None
    without: tuple[str, ...]


@dataclass(frozen=True)
class Accepted:
    """A run's accepted rows at hand, beside the store that they go into."""

    stage: Stage
    features: FeatureStore
    path: Path
    types: dict[str, str]

    @cached_property
    def problem(self) -> Problem:
        """The contract, as the names of the accepted rows' columns let it be read."""
        return with_whole_names(self.stage.problem, self.types)

    def store(self, dataset: Dataset) -> Stored:
        """Store the rows, as known by the run's logical time; the target's values beside them."""
        problem, as_of = self.problem, self.stage.event.as_of
        types, target = self.with_target(dataset)
        wanted, without = self._wanted(types, dataset)
        feature_set = self.features.register(wanted)
        run, beside = self.stage.event.execution, self.features.beside(feature_set)
        if without and not tells_rows_apart(feature_set):
            return Stored(feature_set, None, without)
        before = None if feature_set.repeats else instant(beside.previous(run))
        is_first_variation = self._is_dated(feature_set, before)
        known = beside.manifest.share_of(run)
        if known is not None and (without or is_first_variation):
            # What they were completed from may have changed since.
            return Stored(feature_set, self.features.repeat(feature_set, known), without)
        names = names_in(wanted)
        rows = select_feature_rows(types, problem, str(self.path), as_of, before, target, names)
        if without:
            parts = self.features.engine.local(beside.entries)
            rows = with_stored_values_query(feature_set, rows, parts, without)
        if is_first_variation:
            rows = self._dated(feature_set, rows)
        written = self.features.write_relation(
            feature_set, rows, run=run, as_of=as_of, beside=beside
        )
        return Stored(feature_set, written, without)

    @staticmethod
    def _is_dated(feature_set: FeatureSet, before: datetime | None) -> bool:
        """Whether these are a variation's first rows, where rows can be told apart."""
        is_first = feature_set.name != DEFAULT_SET and before is None
        return is_first and tells_rows_apart(feature_set)

    def _dated(self, feature_set: FeatureSet, rows: str) -> str:
        """A variation's first rows, as late as the deployed contract's set knows them to be."""
        usual = self.features.latest(DEFAULT_SET)
        if usual is None or not names_rows_alike(usual, feature_set):
            return rows
        beside = self.features.beside(usual)
        parts = self.features.engine.local(beside.entries)
        return (
            late_rows_query(feature_set, rows, parts, beside.definition or usual) if parts else rows
        )

    def _wanted(self, types: Mapping[str, str], dataset: Dataset) -> Kept:
        """The set that the rows make: only a training run makes a version for other columns.

        A refresh keeps what is stored of a column that is gone, until the next training run.
        """
        name = self.stage.feature_set or DEFAULT_SET
        wanted, latest = self.definition(types, dataset, name), self.features.latest(name)
        return keep_version(latest, wanted) if self.stage.event.features_only else Kept(wanted)

    def definition(
        self, types: Mapping[str, str], dataset: Dataset, name: str = DEFAULT_SET
    ) -> FeatureSet:
        """The set that the rows make by the contract; a column without a value keeps its type."""
        latest = self.features.latest(name)
        made = to_feature_set(types, self.problem, dataset.classes, name, latest)
        empty = self.features.engine.empty_columns(self.path)
        return with_known_kinds(made, latest, empty)

    def expand(self, feature_set: FeatureSet, dataset: Dataset) -> Dataset:
        """The dataset with the history that each row could have known at its own time."""
        engine = self.features.engine
        engine.view(ENTITIES, select_asked_rows(self.types, self.problem, str(self.path)))
        entries = self.features.stored(feature_set)
        found = window_values(engine, feature_set, feature_set.windows, entries)
        columns = {
            one.name: self._with_own_past(dataset, one, found[one.name].to_numpy())
            for one in feature_set.windows
        }
        return with_columns(dataset, columns)

    def _with_own_past(self, dataset: Dataset, window: WindowFeature, found: Array) -> Array:
        """A window's values, by the run's own rows where the store no longer keeps the past."""
        oldest = self.features.keeper.oldest(self.stage.event.as_of)
        if oldest is None or dataset.event_time is None or window.name not in dataset.data:
            return found
        kept = dataset.event_time >= oldest.timestamp() + window.over
        return np.where(kept, found, dataset.data[window.name])

    def history(self, feature_set: FeatureSet, dataset: Dataset) -> LookupSpec:
        """How an endpoint looks up what `expand` computed, with the last holdout rows' keys."""
        problem, path = self.problem, str(self.path)
        last = ", ".join(map(str, np.flatnonzero(dataset.holdout)[-EXAMPLES:]))
        rows = select_asked_rows(self.types, problem, path)
        query = f"SELECT * FROM ({rows}) WHERE {POSITION} IN ({last or -1}) ORDER BY {POSITION}"  # noqa: S608
        keys = self.features.engine.ask(query)
        columns = [keys[alias].tolist() for alias in key_aliases(feature_set)]
        return LookupSpec(
            feature_set=feature_set.name,
            keys=key_columns(self.types, problem, dataset.notation),
            event_time=str(problem.event_time_column),
            zone=zone_of(problem.event_time_column, problem),
            notation=dataset.notation(str(problem.event_time_column)),
            delay=feature_set.delay,
            windows=tuple(window.measure for window in feature_set.windows),
            descriptions={window.name: window.description for window in feature_set.windows},
            examples=tuple(
                dict(zip(problem.entity_key, key, strict=True))
                for key in zip(*columns, strict=True)
            ),
        )

    def load_online(self, feature_set: FeatureSet) -> int:
        """Bring the online table up to the run's logical time; returns how many items changed."""
        return load_online(self.stage, self.features, feature_set, self.stage.event.as_of)

    def with_target(self, dataset: Dataset) -> tuple[dict[str, str], str | None]:
        """The columns' types, and a relation of targets that an expression computed."""
        name = self.problem.target.name
        if name in self.types:
            return self.types, None
        codes = dataset.target
        values = np.array(dataset.classes, dtype=object)[codes] if dataset.classes else codes
        frame = pd.DataFrame({POSITION: np.arange(len(codes)), "value": values})
        kind = "VARCHAR" if dataset.classes else "DOUBLE"
        return self.types | {name: kind}, self.features.engine.give(frame, TARGET)


def load_online(stage: Stage, features: FeatureStore, feature_set: FeatureSet, at: datetime) -> int:
    """Bring a stack's online table up to an instant (aware); returns how many items changed."""
    table = OnlineTable(client("dynamodb"), table_of(stage.environment.database), time.sleep)
    return bring_up_to_date(OnlineFeatures(features, table), features, stage.store, feature_set, at)


def bring_up_to_date(
    online: OnlineFeatures,
    features: FeatureStore,
    store: Store,
    feature_set: FeatureSet,
    at: datetime,
) -> int:
    """Load the entities that have rows in files which the last load did not see, or saw too early.

    What was loaded is noted afterwards: a load that broke off is done again.
    """
    key = f"{LOADED}/{feature_set.name}.json"
    windows = [window.model_dump(mode="json") for window in features.windows_of(feature_set)]
    of_table = {"table": online.identity, "version": feature_set.version, "windows": windows}
    before = store.get_json(key, {})
    same = of_table.items() <= before.items()
    if before.get("table") == online.identity:
        # What was loaded for a later instant stays, whatever the windows are by now. And a run
        # that began before a refresh, and ends after it, has rows that the refresh had not.
        at = max(at, datetime.fromisoformat(before["at"]))
    entries = features.stored(feature_set)
    changed = [(one, _seen_at(one, before) if same else None) for one in entries]
    new = [(one, seen) for one, seen in changed if seen is None or _has_later(one, seen)]
    if new and feature_set.repeats:
        # The last file is the whole history: what only the one before it had is gone.
        new = [(one, None) for one in entries[-2:]]
    put = online.load(feature_set, at=at, changed=new)
    runs = [share.run for one in entries for share in one.shares]
    store.put_json(key, of_table | {"at": at.isoformat(), "runs": runs})
    return put


def _seen_at(entry: FileEntry, before: Mapping[str, Any]) -> datetime | None:
    """When all runs whose rows a file holds were loaded, None where one of them was not."""
    loaded = all(share.run in before["runs"] for share in entry.shares)
    return datetime.fromisoformat(before["at"]) if loaded else None


def _has_later(entry: FileEntry, seen: datetime) -> bool:
    """Whether a file has rows that were to come when it was loaded."""
    return max(entry.event_time[1], entry.created_time[1]) > since_epoch(seen)


@contextmanager
def open_accepted(stage: Stage) -> Iterator[Accepted]:
    """The run's accepted rows with the feature store open, in a folder that is gone afterwards."""
    content = stage.store.get(f"clean/run={stage.event.execution}/rows.parquet")
    with TemporaryDirectory(prefix="noria-accepted-") as folder, open_features(stage) as features:
        path = Path(folder) / "rows.parquet"
        path.write_bytes(content)
        yield Accepted(stage, features, path, features.engine.types(path))


@contextmanager
def open_features(stage: Stage) -> Iterator[FeatureStore]:
    """The feature store of a stage's stack, within half of the function's memory."""
    catalogue = Catalogue(client("glue"), stage.environment.database)
    retention = stage.problem.features.retention
    with open_feature_store(
        Files(stage.store), catalogue, megabytes=_half_of_memory(), retention=retention
    ) as features:
        yield features


def _half_of_memory() -> int | None:
    """Half of the function's memory, in MB, for DuckDB: rows' bytes and Python need the rest."""
    return int(os.environ[MEMORY]) // 2 if MEMORY in os.environ else None
