"""Analyse: numbers and pictures, and whether ML is needed at all."""

from typing import Any

from noria.core.analysis.analyse import analyse
from noria.core.data.dataset import Dataset
from noria.core.ml_need.decision import decide_need
from noria.lifecycle.conclude import write_report
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note

SEED = 20_13


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Write the analysis and the report, and decide whether to go on."""
    stage = Stage.open(event)
    dataset = Dataset.from_bytes(stage.dataset())
    note(rows_in=len(dataset))
    analysis = analyse(dataset, stage.problem, _known_afterwards(stage))
    stage.store.put_json(stage.run.key("analysis.json"), analysis.model_dump(mode="json"))
    verdict = decide_need(dataset, stage.problem, SEED)
    decided = stage.decided(verdict)
    report = write_report(stage)
    baseline = verdict.evidence.get("baseline")
    return {**decided, "baseline": baseline, "report": stage.store.uri(report)}


def _known_afterwards(stage: Stage) -> list[str]:
    """The columns that Transform found filled only where the target is known."""
    found = [v for v in stage.run.verdicts() if v["state"] == "Transform"]
    names = found[-1]["evidence"].get("known_afterwards", []) if found else []
    return [str(name) for name in names]
