"""Noria's side of the feature store's bench: making the rows, storing them, retrieving them.

python -m tests.bench.features FOLDER make ROWS ENTITIES KEYS | retrieve TIMES
"""

import hashlib
import json
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from noria.aws.feature_store import Catalogue, Files
from noria.aws.s3 import Store
from noria.core.feature_store.feature_set import define
from noria.feature_store.store import FeatureReference, open_feature_store
from tests.support.memory_bucket import FolderBucket
from tests.support.memory_catalog import FolderCatalogue

FEATURES = [f"f{number}" for number in range(5)]
SET = define(
    name="bench", entity_key=[{"name": "entity", "kind": "integer"}], repeats=True,
    features=[{"name": name, "kind": "number"} for name in FEATURES],
)  # fmt: skip
YEAR = 365 * 86400
START = datetime(2024, 1, 1, tzinfo=UTC)
REPEATED = 1000  # rows whose entity and event time another row has: corrected later


def make(folder: Path, rows: int, entities: int, keys: int) -> dict[str, Any]:
    """Random rows and requests over a year, as files for the peers and in the store."""
    random = np.random.default_rng(7)
    history = pd.DataFrame(
        {"entity": random.integers(0, keys, rows), "event_time": _times(random, rows)}
    )
    # Known an hour before it is true, as a schedule is, so that pandas sees no leak.
    history["created_time"] = history["event_time"] - pd.Timedelta(hours=1)
    for name in FEATURES:
        history[name] = random.normal(size=rows)
    again = history.iloc[:REPEATED].assign(f0=random.normal(size=min(REPEATED, rows)))
    again["created_time"] += pd.Timedelta(minutes=30)
    history = pd.concat([history, again], ignore_index=True)
    asked = pd.DataFrame(
        {"entity": random.integers(0, keys, entities), "prediction_time": _times(random, entities)}
    )
    asked["request"] = np.arange(entities)
    history.to_parquet(folder / "features.parquet", index=False)
    asked.to_parquet(folder / "entities.parquet", index=False)
    started = time.perf_counter()
    with _opened(folder) as store:
        store.write(store.register(SET), history, run="bench", created=START)
    return {"seconds": time.perf_counter() - started, "rows": len(history)}


def retrieve(folder: Path, times: int) -> dict[str, Any]:
    """The requests' features, several times; the seconds are those of the first."""
    seconds, checksums = [], set()
    for number in range(times):
        started = time.perf_counter()
        asked = pd.read_parquet(folder / "entities.parquet")
        with _opened(folder) as store:
            found = store.historical_features(asked, [FeatureReference("bench")])
        seconds.append(time.perf_counter() - started)
        if number == 0:
            used = resource.getrusage(resource.RUSAGE_SELF)
        values = found[FEATURES].to_numpy()
        checksums.add(hashlib.sha256(values.tobytes()).hexdigest())
    np.save(folder / "noria.npy", values)
    return {"seconds": seconds[0], "cpu": used.ru_utime + used.ru_stime, "rows": len(found),
            "checksums": sorted(checksums)}  # fmt: skip


def _times(random: np.random.Generator, size: int) -> pd.Series:
    seconds = pd.to_timedelta(random.integers(0, YEAR, size), unit="s").as_unit("us")
    return pd.Series(pd.Timestamp(START).as_unit("us") + seconds)


def _opened(folder: Path) -> Any:
    files = Files(Store(FolderBucket(folder / "bucket"), "bench"))
    return open_feature_store(files, Catalogue(FolderCatalogue(folder / "catalogue"), "bench"))


if __name__ == "__main__":
    home, what, *sizes = sys.argv[1:]
    work = {"make": make, "retrieve": retrieve}[what]
    print(json.dumps(work(Path(home), *map(int, sizes))))
