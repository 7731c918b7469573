"""Point-in-time retrieval as one would write it with pandas: a stable sort and `merge_asof`.

It looks at event times only, ties by created time: a value that became known late would leak.

python plain_features.py FOLDER
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet  # noqa: F401  (read_parquet would import it inside what is measured)

FEATURES = [f"f{number}" for number in range(5)]


def main(folder):
    started = time.perf_counter()
    columns = ["entity", "event_time", "created_time", *FEATURES]
    rows = pd.read_parquet(folder / "features.parquet", columns=columns)
    rows = rows.sort_values(["event_time", "created_time"], kind="stable")
    entities = pd.read_parquet(folder / "entities.parquet")
    entities = entities.sort_values("prediction_time", kind="stable")
    found = pd.merge_asof(
        entities, rows, left_on="prediction_time", right_on="event_time", by="entity"
    ).sort_values("request")
    seconds = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    np.save(folder / "pandas.npy", found[FEATURES].to_numpy(np.float64))
    return {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "rows": len(found)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
