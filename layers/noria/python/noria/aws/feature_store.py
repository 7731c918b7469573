"""The offline feature store: Parquet in S3, registered in the Glue table `features`."""

import awswrangler as wr
import pandas as pd

TABLE = "features"
PARTITIONS = ["run", "event_month"]


def write_features(frame: pd.DataFrame, *, database: str, path: str, run: str) -> int:
    """Write a run's feature rows and register their partitions; returns the number of rows.

    `frame` has the entity key, `event_time`, `created_time` (naive UTC) and the feature columns.
    The partitions are the run's own, so writing them again replaces nothing of another run, and
    they are registered in Glue after the last object is written.
    """
    months = frame["event_time"].dt.strftime("%Y-%m")
    wr.s3.to_parquet(
        frame.assign(run=run, event_month=months),
        path=path,
        dataset=True,
        database=database,
        table=TABLE,
        mode="overwrite_partitions",
        partition_cols=PARTITIONS,
        schema_evolution=True,
        use_threads=False,
    )
    return len(frame)
