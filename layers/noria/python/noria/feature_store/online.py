"""The latest values per entity, served from DynamoDB and loaded from the feature store's files."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from noria.aws.feature_store import FileEntry
from noria.aws.feature_store.dynamodb_online import Latest, OnlineTable
from noria.core.feature_store.duckdb_frames import from_values
from noria.core.feature_store.entity_frames import aware, entity_rows
from noria.core.feature_store.feature_set import (
    CREATED_TIME,
    EVENT_TIME,
    PREDICTION_TIME,
    Feature,
    FeatureSet,
)
from noria.core.feature_store.point_in_time_sql import ENTITIES, key_aliases
from noria.core.feature_store.write_sql import EPOCH, since_epoch
from noria.core.windows.online_windows import windows_of
from noria.feature_store.store import FeatureReference, FeatureStore
from noria.feature_store.windows import window_states

SECOND = 1_000_000  # microseconds
Key = tuple[str, ...]


class OnlineFeatures:
    """What the store answers for an instant, kept where an endpoint reads it in milliseconds."""

    def __init__(self, store: FeatureStore, table: OnlineTable) -> None:
        self._store = store
        self._table = table

    @property
    def identity(self) -> str:
        """What tells the table from one of the same name before or after it."""
        return self._table.identity

    def load(
        self,
        feature_set: FeatureSet,
        *,
        at: datetime,
        changed: Sequence[tuple[FileEntry, datetime | None]] | None = None,
    ) -> int:
        """Put the latest values at an instant, and the history from then on, of entities.

        Of all entities, or of those with rows in `changed` files: in the whole file, or only those
        that were to come at an instant. Returns how many were not older than what was there.
        """
        entries = self._store.entries(feature_set)
        wanted = [(entry, None) for entry in entries] if changed is None else changed
        entities = self._store.engine.entities(feature_set, wanted) if wanted else pd.DataFrame()
        if not len(entities):
            return 0
        reference = FeatureReference(
            feature_set.name, self._stored(feature_set), feature_set.version
        )
        found = self._store.latest_features(entities, reference, at=at, times=True)
        history = self._history(feature_set, entities, entries, at)
        rows = _latest(entities, found, feature_set, history)
        return self._table.load(feature_set.name, rows, since_epoch(aware(at, "at")))

    def latest_features(
        self, keys: pd.DataFrame, feature_set: FeatureSet, *, at: datetime
    ) -> pd.DataFrame:
        """The features of entities at an instant, as `FeatureStore.latest_features` gives them."""
        asked = keys.assign(**{PREDICTION_TIME: pd.Timestamp(aware(at, "at"))})
        rows = entity_rows(asked, feature_set, PREDICTION_TIME, "keys")
        found = self._table.read(feature_set.name, _texts(rows, key_aliases(feature_set)))
        moment = since_epoch(aware(at, "at"))
        features, windows = feature_set.split(None)
        columns = {f.name: [_value(row, f, moment) for row in found] for f in features}
        answered = pd.DataFrame({f.name: from_values(columns[f.name], f) for f in features})
        measures = [window.measure for window in windows]
        histories = [row.history if row else b"" for row in found]
        instants = np.full(len(found), moment // SECOND, dtype=np.int64)
        values = windows_of(histories, measures, instants, feature_set.delay)
        return pd.concat([answered, pd.DataFrame(values, index=range(len(found)))], axis=1)

    def _history(
        self,
        feature_set: FeatureSet,
        entities: pd.DataFrame,
        entries: Sequence[FileEntry],
        at: datetime,
    ) -> Mapping[Key, bytes]:
        windows = self._store.windows_of(feature_set)
        if not windows:
            return {}
        asked = entities.assign(**{PREDICTION_TIME: pd.Timestamp(aware(at, "at"))})
        engine = self._store.engine
        engine.give(entity_rows(asked, feature_set, PREDICTION_TIME, "entities"), ENTITIES)
        # Data that ended long ago, as in a replay, is asked about as of its end.
        newest = max(entry.event_time[1] for entry in entries)
        now = min(since_epoch(aware(at, "at")), newest) // SECOND
        return dict(window_states(engine, feature_set, windows, entries, now))

    @staticmethod
    def _stored(feature_set: FeatureSet) -> list[str]:
        """The features that are stored, which a set may have none of beside its windows."""
        return [feature.name for feature in feature_set.split(None)[0]]


def _latest(
    entities: pd.DataFrame,
    found: pd.DataFrame,
    feature_set: FeatureSet,
    history: Mapping[Key, bytes],
) -> Iterator[Latest]:
    """The items of entities that something is known of, or will be once its time has come."""
    features = feature_set.split(None)[0]
    known = found[EVENT_TIME].notna().to_numpy()
    keys = _texts(entities, feature_set.keys)
    times = [_microseconds(found[name].fillna(EPOCH)) for name in (EVENT_TIME, CREATED_TIME)]
    values = [_plain(found[feature.name]) for feature in features]
    names = [feature.name for feature in features]
    for key, there, event, created, *row in zip(keys, known, *times, *values, strict=True):
        past = history.get(tuple(key), b"")
        if there or past:
            yield Latest(
                tuple(key),
                event,
                created,
                dict(zip(names, row, strict=True)) if there else {},
                past,
            )


def _texts(rows: pd.DataFrame, names: Sequence[str]) -> list[list[str]]:
    return [[str(value) for value in key] for key in rows[list(names)].itertuples(index=False)]


def _microseconds(times: pd.Series) -> list[int]:
    return [int(value) for value in times.dt.tz_localize(None).dt.as_unit("us").astype(np.int64)]


def _plain(values: pd.Series) -> list[Any]:
    """Values as JSON has them; times in microseconds since 1970, missing as None."""
    gaps = values.isna().to_numpy()
    plain = _filled(values) if isinstance(values.dtype, pd.DatetimeTZDtype) else values.tolist()
    return [None if gap else value for gap, value in zip(gaps, plain, strict=True)]


def _filled(times: pd.Series) -> list[int]:
    return _microseconds(times.fillna(pd.Timestamp(EPOCH)))


def _value(row: Latest | None, feature: Feature, moment: int) -> Any:
    """A value as it counts at a moment; one that is younger than it is not known yet."""
    if row is None or max(row.event_time, row.created_time) > moment:
        return None
    age = timedelta(microseconds=moment - row.event_time)
    if feature.time_to_live is not None and age > feature.time_to_live:
        return None
    return row.values.get(feature.name)
