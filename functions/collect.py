"""CollectSources: one source's files as one table, with their provenance."""

from typing import Any

from noria.aws.clients import client
from noria.contracts import Source
from noria.core.column_types.exact_columns import exact_columns, excluded_columns
from noria.errors import DataError
from noria.ingestion.collector import Collected, Collector
from noria.ingestion.sources import open_origin
from noria.ingestion.sources.secrets import read_secret
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Fetch what changed of a source, and store all its rows and where they came from.

    A file that is not what it says does not fail the run here: Transform turns it into a verdict.
    """
    stage = Stage.open(event)
    source = next(item for item in stage.problem.sources if item.name == stage.event.item)
    prefix = f"raw/{source.name}/run={stage.event.execution}/"
    provenance = {
        "source": source.name,
        "kind": source.kind,
        "collected_at": stage.event.started_at,
    }
    try:
        collected = _collect(stage, source)
    except DataError as error:
        unusable = {**provenance, "files": [], "unusable": str(error)}
        stage.store.put_json(f"{prefix}provenance.json", unusable)
        return {"source": source.name, "rows": 0, "unusable": str(error)}
    stage.store.put(f"{prefix}rows.parquet", collected.table)
    stage.store.put_json(f"{prefix}provenance.json", {**provenance, **_told(collected)})
    note(rows_out=collected.rows)
    return {
        "source": source.name,
        "rows": collected.rows,
        "fetched": collected.fetched,
        "uri": stage.store.uri(prefix),
    }


def _collect(stage: Stage, source: Source) -> Collected:
    collector = Collector(
        stage.store,
        source,
        stage.event.started_at.isoformat(),
        exact=exact_columns(stage.problem, source),
        excluded=excluded_columns(stage.problem, source),
    )
    return collector.collect(open_origin(source, stage.store, _secret))


def _secret(name: str) -> dict[str, Any]:
    return read_secret(client("secretsmanager"), name)


def _told(collected: Collected) -> dict[str, Any]:
    return {
        "rows": collected.rows,
        "schema": collected.schema,
        "fetched": collected.fetched,
        "drift": collected.drift,
        "left_out": collected.left_out,
        "files": [part.provenance() for part in collected.parts],
    }
