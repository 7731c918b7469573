"""Analyse: numbers and pictures, and whether ML is needed at all."""

from typing import Any

from noria.common.verdict import Verdict
from noria.core.analysis.analyse import analyse
from noria.core.analysis.leakage import Suspect
from noria.core.data.dataset import Dataset
from noria.core.ml_need.decision import decide_need
from noria.core.ml_need.leaks import nothing_left, stopping, with_leaks
from noria.lifecycle.conclude import write_report
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note

SEED = 20_13
SHOWN = 20  # suspects that the question names, so that the machine's state stays small


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Write the analysis and the report, and decide whether to go on, and with which columns."""
    stage = Stage.open(event)
    dataset = Dataset.from_bytes(stage.store.get(stage.clean_key))
    note(rows_in=len(dataset))
    analysis = analyse(dataset, stage.problem, _post_outcome_columns(stage))
    stage.store.put_json(stage.run.key("analysis.json"), analysis.model_dump(mode="json"))
    left_out = _left_out(stage, analysis.leakage)
    kept = dataset.only([name for name in dataset.names() if name not in left_out])
    verdict = _verdict(stage, kept, analysis.leakage)
    decided = stage.decided(verdict)
    if left_out:
        stage.store.put(stage.without_leaks_key, kept.to_bytes())
        decided["dataset"] = stage.without_leaks_key
    report = write_report(stage)
    baseline = verdict.evidence.get("baseline")
    asked = {"suspects": verdict.evidence["asked_about"][:SHOWN]} if _asks(verdict) else {}
    return {**decided, **asked, "baseline": baseline, "report": stage.store.uri(report)}


def _left_out(stage: Stage, suspects: list[Suspect]) -> list[str]:
    """The columns that the contract wants left out because they give the target away."""
    exclude = stage.problem.analysis.on_leak == "exclude"
    return [one.column for one in stopping(suspects)] if exclude else []


def _verdict(stage: Stage, kept: Dataset, suspects: list[Suspect]) -> Verdict:
    if not kept.columns:
        return nothing_left(suspects)
    return with_leaks(decide_need(kept, stage.problem, SEED), suspects, stage.problem)


def _asks(verdict: Verdict) -> bool:
    return "asked_about" in verdict.evidence


def _post_outcome_columns(stage: Stage) -> list[str]:
    """The columns that Transform found filled only where the target is known."""
    found = [v for v in stage.run.verdicts() if v["state"] == "Transform"]
    names = found[-1]["evidence"].get("known_afterwards", []) if found else []
    return [str(name) for name in names]
