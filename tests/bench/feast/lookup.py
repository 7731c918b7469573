"""Feast's DynamoDB online store at URL: loads ENTITIES rows, and looks some up again and again.

python lookup.py FOLDER URL ENTITIES REPEAT KEYS...
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

FEATURES = [f"f{number}" for number in range(5)]
REGION = "eu-west-1"


def main(folder, url, entities, repeat, *sizes):
    store = FeatureStore(
        config=RepoConfig(
            project="bench",
            provider="local",
            registry=str(folder / "feast-online.db"),
            online_store={"type": "dynamodb", "region": REGION, "endpoint_url": url},
            entity_key_serialization_version=3,
        )
    )
    random = np.random.default_rng(7)
    rows = pd.DataFrame({name: random.normal(size=entities) for name in FEATURES})
    rows["entity"] = np.arange(entities)
    rows["event_time"] = datetime.now(UTC) - timedelta(minutes=1)
    rows.to_parquet(folder / "latest.parquet")
    entity = Entity(name="entity", join_keys=["entity"], value_type=ValueType.INT64)
    view = FeatureView(
        name="bench",
        entities=[entity],
        ttl=timedelta(0),
        online=True,
        schema=[Field(name=name, dtype=Float64) for name in FEATURES],
        source=FileSource(path=str(folder / "latest.parquet"), timestamp_field="event_time"),
    )
    store.apply([entity, view])
    store.write_to_online_store("bench", rows)
    wanted = [f"bench:{name}" for name in FEATURES]
    medians = {}
    for size in sizes:
        times = []
        for _ in range(repeat):
            keys = random.choice(entities, size, replace=False).tolist()
            asked = [{"entity": key} for key in keys]
            started = time.perf_counter()
            found = store.get_online_features(features=wanted, entity_rows=asked).to_dict()
            times.append(time.perf_counter() - started)
            assert found["f0"] == rows["f0"].iloc[keys].tolist()
        medians[str(size)] = float(np.median(times)) * 1000
    return {"milliseconds": medians}


if __name__ == "__main__":
    home, address, *numbers = sys.argv[1:]
    print(json.dumps(main(Path(home), address, *map(int, numbers))))
