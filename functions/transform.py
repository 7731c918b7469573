"""Transform: join the sources, cleanse, and make the dataset that models learn from."""

import io
from typing import Any

import pandas as pd

from noria.context import Stage
from noria.core.cleansing import Cleansing, cleanse
from noria.core.joining import join_sources
from noria.core.tabulating import to_dataset
from noria.core.verdicts import Verdict
from noria.errors import ContractError, DataError


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Decide whether the data is usable; write what was accepted and what was not."""
    stage = Stage.open(event)
    collected = stage.event.input["collected"]
    _record_collected(stage)
    unusable = [item["unusable"] for item in collected if "unusable" in item]
    if unusable:
        return stage.decided(Verdict(decision="unusable", reasons=unusable))
    try:
        cleansing = cleanse(_joined(stage), stage.problem)
        return _written(stage, cleansing)
    except (DataError, ContractError) as error:
        return stage.decided(Verdict(decision="unusable", reasons=[str(error)]))


def _joined(stage: Stage) -> pd.DataFrame:
    frames = {
        source.name: pd.read_parquet(
            io.BytesIO(stage.store.get(f"{_raw(stage, source.name)}rows.parquet"))
        )
        for source in stage.problem.sources
    }
    return join_sources(frames, stage.problem)


def _written(stage: Stage, cleansing: Cleansing) -> dict[str, Any]:
    verdict, run = cleansing.verdict, f"run={stage.event.execution}"
    stage.store.put(f"quarantine/{run}/rows.parquet", _parquet(cleansing.quarantined))
    if verdict.decision != "usable":
        return stage.decided(verdict)
    dataset = to_dataset(cleansing.accepted, stage.problem, cleansing.columns)
    stage.store.put(f"clean/{run}/rows.parquet", _parquet(cleansing.accepted))
    stage.store.put(stage.dataset_key, dataset.to_bytes())
    return {
        **stage.decided(verdict),
        "rows": len(cleansing.accepted),
        "quarantined": len(cleansing.quarantined),
        "clean": stage.store.uri(f"clean/{run}/rows.parquet"),
    }


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
