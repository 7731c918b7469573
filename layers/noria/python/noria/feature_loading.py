"""A run's accepted rows into the feature store, and its latest values into the online table."""

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from noria.aws.clients import client
from noria.aws.feature_store import Catalogue, Files, OnlineTable
from noria.context import Stage
from noria.core.feature_rows import select_feature_rows, to_feature_set
from noria.feature_serving import OnlineFeatures
from noria.feature_store import FeatureStore, Written, open_feature_store

ONLINE_SUFFIX = "_online"
MEMORY = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"  # which Lambda sets, in MB


def store_accepted(stage: Stage) -> Written:
    """Store the run's accepted rows, as created at its logical time."""
    content = stage.store.get(f"clean/run={stage.event.execution}/rows.parquet")
    catalogue = Catalogue(client("glue"), stage.environment.database)
    with (
        TemporaryDirectory(prefix="noria-accepted-") as folder,
        open_feature_store(Files(stage.store), catalogue, megabytes=_memory()) as features,
    ):
        accepted = Path(folder) / "rows.parquet"
        accepted.write_bytes(content)
        written = _write(stage, features, accepted)
        if stage.problem.features.windows:
            online = OnlineTable(client("dynamodb"), online_table(stage), time.sleep)
            OnlineFeatures(features, online).load(written.feature_set, at=stage.event.as_of)
    return written


def online_table(stage: Stage) -> str:
    """The table of latest values: one for each database, as infra/store.py names it."""
    return stage.environment.database + ONLINE_SUFFIX


def _write(stage: Stage, features: FeatureStore, accepted: Path) -> Written:
    types = features.engine.types(accepted)
    feature_set = features.register(to_feature_set(types, stage.problem))
    rows = select_feature_rows(types, stage.problem, str(accepted), stage.event.as_of)
    return features.write_relation(feature_set, rows, run=stage.event.execution)


def _memory() -> int | None:
    """Half of the function's memory for DuckDB: the rows' bytes and Python need the rest."""
    return int(os.environ[MEMORY]) // 2 if MEMORY in os.environ else None
