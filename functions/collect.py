"""CollectSources: one source's files as one table, with their provenance."""

import hashlib
import io
from typing import Any

import pandas as pd

from noria.aws.sources import Fetched, fetch
from noria.context import Stage
from noria.contracts import Source
from noria.core.reading import read_tables
from noria.errors import DataError


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Fetch a source, read it, and store its rows and where they came from.

    A file that is not what it says does not fail the run here: Transform turns it into a verdict.
    """
    stage = Stage.open(event)
    source = next(item for item in stage.problem.sources if item.name == stage.event.item)
    files = fetch(source, stage.store)
    prefix = f"raw/{source.name}/run={stage.event.execution}/"
    provenance = {
        "source": source.name,
        "kind": source.kind,
        "collected_at": stage.event.started_at,
        "files": [_provenance(file) for file in files],
    }
    try:
        frame = _read(source, files)
    except DataError as error:
        stage.store.put_json(f"{prefix}provenance.json", {**provenance, "unusable": str(error)})
        return {"source": source.name, "rows": 0, "unusable": str(error)}
    stage.store.put(f"{prefix}rows.parquet", _parquet(frame))
    schema = {name: str(kind) for name, kind in frame.dtypes.items()}
    stage.store.put_json(
        f"{prefix}provenance.json", {**provenance, "rows": len(frame), "schema": schema}
    )
    return {"source": source.name, "rows": len(frame), "uri": stage.store.uri(prefix)}


def _read(source: Source, files: list[Fetched]) -> pd.DataFrame:
    if not files:
        raise DataError(
            f"source '{source.name}' has no files; drop CSV, Parquet or JSON files below "
            f"incoming/{source.name}/ of the stack's bucket (noria data push)"
        )
    return read_tables([(file.name, file.content) for file in files], source.format)


def _provenance(file: Fetched) -> dict[str, Any]:
    return {
        "name": file.name,
        "where": file.where,
        "etag": file.etag,
        "bytes": len(file.content),
        "sha256": hashlib.sha256(file.content).hexdigest(),
    }


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
