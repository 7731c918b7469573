"""EngineerFeatures: the next recipe of the ladder, and the rows into the feature store."""

import io
from typing import Any

import pandas as pd

from noria.aws.feature_store import write_features
from noria.context import Stage
from noria.core.candidates import names_for
from noria.core.dataset import Dataset
from noria.core.feature_rows import to_feature_rows
from noria.core.recipes import make_plan
from noria.core.verdicts import Verdict


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Make this turn's feature plan; on the first turn, store the rows that it is fed with.

    Row-level steps live in the model's own graph, so the stored values do not change with the
    recipe: later turns write none again.
    """
    stage = Stage.open(event)
    turn = stage.turn + 1
    dataset = Dataset.from_bytes(stage.dataset())
    weakness = "; ".join(stage.event.result("evaluate").get("reasons", []))
    plan = make_plan(dataset, stage.problem, turn - 1, weakness)
    stage.store.put(stage.run.turn_key(turn, "plan.json"), plan.model_dump_json().encode())
    if turn == 1:
        _store(stage)
    verdict = Verdict(
        decision=plan.recipe, reasons=[plan.why], evidence={"features": plan.features}
    )
    stage.run.record_verdict(stage.event.state, turn, verdict.model_dump(mode="json"))
    return {
        "iteration": turn,
        "recipe": plan.recipe,
        "reasons": [plan.why],
        "candidates": names_for(stage.problem),
    }


def _store(stage: Stage) -> None:
    content = stage.store.get(f"clean/run={stage.event.execution}/rows.parquet")
    rows = to_feature_rows(pd.read_parquet(io.BytesIO(content)), stage.problem, stage.event.as_of)
    write_features(
        rows,
        database=stage.environment.database,
        path=stage.store.uri("features/"),
        run=stage.event.execution,
    )
