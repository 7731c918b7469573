"""ydata-profiling's minimal report of FOLDER/joined.parquet; runs in an environment of its own.

python report.py FOLDER
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet  # noqa: F401  (read_parquet would import it inside what is measured)
from ydata_profiling import ProfileReport


def main(folder):
    started = time.perf_counter()
    table = pd.read_parquet(folder / "joined.parquet")
    ProfileReport(table, minimal=True, progress_bar=False).to_file(
        folder / "ydata.html", silent=True
    )
    return {"seconds": time.perf_counter() - started, "rows": len(table)}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
