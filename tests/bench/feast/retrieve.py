"""Feast's local offline store on FOLDER's files, with its own defaults; an environment of its own.

python retrieve.py FOLDER
"""

import json
import os
import resource
import sys
import time
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

FEATURES = [f"f{number}" for number in range(5)]


def main(folder):
    store = FeatureStore(
        config=RepoConfig(
            project="bench",
            provider="local",
            registry=str(folder / "feast-registry.db"),
            offline_store={"type": "file"},
            online_store=None,
            entity_key_serialization_version=3,
        )
    )
    entity = Entity(name="entity", join_keys=["entity"], value_type=ValueType.INT64)
    view = FeatureView(
        name="bench",
        entities=[entity],
        ttl=timedelta(0),
        online=False,
        schema=[Field(name=name, dtype=Float64) for name in FEATURES],
        source=FileSource(
            path=str(folder / "features.parquet"),
            timestamp_field="event_time",
            created_timestamp_column="created_time",
        ),
    )
    store.apply([entity, view])
    started = time.perf_counter()
    entities = pd.read_parquet(folder / "entities.parquet")
    entities = entities.rename(columns={"prediction_time": "event_timestamp"})
    found = store.get_historical_features(
        entity_df=entities, features=[f"bench:{name}" for name in FEATURES]
    ).to_df()
    seconds = time.perf_counter() - started
    # Feast leaves out what it has no features for.
    found = found.set_index("request")[FEATURES]
    np.save(folder / "feast.npy", found.reindex(range(len(entities))).to_numpy(np.float64))
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "rows": len(found)}


if __name__ == "__main__":
    os.environ["FEAST_USAGE"] = "False"
    print(json.dumps(main(Path(sys.argv[1]))))
