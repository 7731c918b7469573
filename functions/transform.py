"""Transform: join the sources, cleanse, and make the dataset that models learn from."""

import io
from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet

from noria.common.verdict import Verdict
from noria.contracts import Problem
from noria.core.cleansing.cleanse import Cleansing, cleanse
from noria.core.cleansing.dataset_builder import to_dataset
from noria.core.cleansing.joins import LEFT_OUT, join_sources
from noria.core.cleansing.quality_gate import too_large, with_drift
from noria.core.cleansing.schema_drift import Schema, schema_drift
from noria.core.column_types.whole_names import with_whole_names
from noria.core.ingestion.exact_values import to_frame
from noria.core.ingestion.file_table import left_out_notes
from noria.core.windows.run_windows import with_windows
from noria.errors import ContractError, DataError
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note

SCHEMAS = "clean/schemas.json"


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Decide whether the data is usable; write what was accepted and what was not."""
    stage = Stage.open(event)
    collected = stage.event.input["collected"]
    _record_collected(stage)
    unusable = [item["unusable"] for item in collected if "unusable" in item]
    rows, memory = sum(item["rows"] for item in collected), int(context.memory_limit_in_mb)
    note(rows_in=rows)
    unusable += too_large(rows, stage.problem, memory)
    if unusable:
        return stage.decided(Verdict(decision="unusable", reasons=unusable))
    try:
        joined, problem = _joined(stage)
        cleansing = cleanse(joined, problem)
        del joined  # as large as all that is made of it
        return _written(stage, cleansing, problem)
    except (DataError, ContractError) as error:
        return stage.decided(Verdict(decision="unusable", reasons=[str(error)]))


def _joined(stage: Stage) -> tuple[pd.DataFrame, Problem]:
    """The sources' rows, and the contract as their columns' names let it be read."""
    frames = {}
    for source in _collected(stage):
        table = parquet.read_table(
            pa.BufferReader(stage.store.get(f"{_raw(stage, source['source'])}rows.parquet"))
        )
        frame = frames[source["source"]] = to_frame(table)
        frame.attrs[LEFT_OUT] = source.get("left_out", ())
    problem = with_whole_names(stage.problem, frames[stage.problem.primary.name].columns)
    joined = join_sources(frames, problem)
    problem = with_whole_names(problem, joined.columns)
    if problem != stage.problem:
        stage.store.put_json(stage.run.key("problem.json"), problem.to_document())
    return joined, problem


def _written(stage: Stage, cleansing: Cleansing, problem: Problem) -> dict[str, Any]:
    run = f"run={stage.event.execution}"
    schemas = _schemas(stage)
    told = cleansing.verdict.model_copy(
        update={"reasons": [*cleansing.verdict.reasons, *_reading_notes(stage)]}
    )
    verdict = with_drift(told, [*_file_drift(stage), *schemas.drift], stage.problem)
    stage.store.put(f"quarantine/{run}/rows.parquet", _parquet(cleansing.quarantined))
    if verdict.decision != "usable":
        return stage.decided(verdict)
    dataset = to_dataset(
        cleansing.accepted,
        problem,
        cleansing.columns,
        cleansing.spellings,
        cleansing.notations,
    )
    dataset = with_windows(dataset, cleansing.accepted, problem)
    stage.store.put(f"clean/{run}/rows.parquet", _parquet(cleansing.accepted))
    stage.store.put(f"clean/{run}/outliers.parquet", _parquet(cleansing.flagged))
    stage.store.put(stage.clean_key, dataset.to_bytes())
    if not stage.event.features_only:
        schemas.remember()  # the next training run compares with it
    note(rows_out=len(cleansing.accepted))
    return {
        **stage.decided(verdict),
        "rows": len(cleansing.accepted),
        "quarantined": len(cleansing.quarantined),
        "clean": stage.store.uri(f"clean/{run}/rows.parquet"),
    }


def _reading_notes(stage: Stage) -> list[str]:
    """What was found while the sources' files were read, such as cells that hold an error."""
    return [
        f"Source {source['source']!r}: {note}"
        for source in _collected(stage)
        for note in dict.fromkeys(
            [*left_out_notes(source.get("left_out", ()))]
            + [note for file in source["files"] for note in file.get("notes", ())]
        )
    ]


def _file_drift(stage: Stage) -> list[str]:
    """What columns the files of one source do not share."""
    return [
        f"source {source['source']!r}: {told}"
        for source in _collected(stage)
        for told in source.get("drift", ())
    ]


def _collected(stage: Stage) -> list[dict[str, Any]]:
    """Where each source's rows came from, and how they were read."""
    found: list[dict[str, Any]] = stage.store.get_json(stage.run.key("collected.json"))["sources"]
    return found


class _Schemas:
    """The sources' schemas in this run, beside those of the last run whose data was usable.

    A repeated delivery compares with what the first one compared with.
    """

    def __init__(self, stage: Stage, now: Mapping[str, Schema]) -> None:
        self._store, self._run, self._now = stage.store, stage.event.execution, now
        known = stage.store.get_json(SCHEMAS, {})
        again = known.get("run") == self._run
        self._before = known.get("before" if again else "schemas", {})

    @property
    def drift(self) -> list[str]:
        """What changed, column by column."""
        return schema_drift(self._before, self._now)

    def remember(self) -> None:
        """Make this run's schemas those that the next one is compared with."""
        document = {"run": self._run, "schemas": self._now, "before": self._before}
        self._store.put_json(SCHEMAS, document)


def _schemas(stage: Stage) -> _Schemas:
    return _Schemas(stage, {item["source"]: item["schema"] for item in _collected(stage)})


def _record_collected(stage: Stage) -> None:
    """One document of everything that was collected, which the monitor counts new rows from."""
    sources = [
        stage.store.get_json(f"{_raw(stage, source.name)}provenance.json")
        for source in stage.problem.sources
    ]
    stage.store.put_json(stage.run.key("collected.json"), {"sources": sources})


def _raw(stage: Stage, source: str) -> str:
    return f"raw/{source}/run={stage.event.execution}/"


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
