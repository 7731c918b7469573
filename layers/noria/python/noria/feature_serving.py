"""The latest values per entity, served from DynamoDB and loaded from the feature store's files."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from noria.aws.feature_store.online import Latest, OnlineTable
from noria.core.entity_frames import aware, entity_rows
from noria.core.feature_columns import from_values
from noria.core.feature_sets import CREATED_TIME, EVENT_TIME, Feature, FeatureSet, microseconds
from noria.core.point_in_time import PREDICTION_TIME, key_aliases
from noria.feature_store import FeatureStore, Reference

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class OnlineFeatures:
    """What the store answers for an instant, kept where an endpoint reads it in milliseconds."""

    def __init__(self, store: FeatureStore, table: OnlineTable) -> None:
        self._store = store
        self._table = table

    def load(self, feature_set: FeatureSet, *, at: datetime) -> int:
        """Put the latest values at an instant of all entities; returns how many were newer."""
        entities = self._store.engine.entities(feature_set, self._store.entries(feature_set))
        reference = Reference(feature_set.name, version=feature_set.version)
        found = self._store.latest_features(entities, reference, at=at, times=True)
        known = found[EVENT_TIME].notna().to_numpy()
        rows = _latest(entities[known], found[known], feature_set)
        return self._table.load(feature_set.table, rows)

    def latest_features(
        self, keys: pd.DataFrame, feature_set: FeatureSet, *, at: datetime
    ) -> pd.DataFrame:
        """The features of entities at an instant, as `FeatureStore.latest_features` gives them."""
        asked = keys.assign(**{PREDICTION_TIME: pd.Timestamp(aware(at, "at"))})
        rows = entity_rows(asked, feature_set, PREDICTION_TIME, "keys")
        found = self._table.read(feature_set.table, _texts(rows, key_aliases(feature_set)))
        moment = microseconds(aware(at, "at") - EPOCH)
        features = feature_set.choose(None)
        columns = {f.name: [_value(row, f, moment) for row in found] for f in features}
        return pd.DataFrame({f.name: from_values(columns[f.name], f) for f in features})


def _latest(
    entities: pd.DataFrame, found: pd.DataFrame, feature_set: FeatureSet
) -> Iterator[Latest]:
    features = feature_set.choose(None)
    keys = _texts(entities, feature_set.keys)
    times = [_microseconds(found[name]) for name in (EVENT_TIME, CREATED_TIME)]
    values = [_plain(found[feature.name]) for feature in features]
    names = [feature.name for feature in features]
    for key, event, created, *row in zip(keys, *times, *values, strict=True):
        yield Latest(tuple(key), event, created, dict(zip(names, row, strict=True)))


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
