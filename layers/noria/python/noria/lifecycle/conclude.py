"""How every run ends: the reason recorded once, the report written, the lease released."""

from typing import Any

from noria.aws.run_log import RunLog
from noria.core.reporting.report import render_report
from noria.lifecycle.stage import Stage

# What a run that only stores features leaves of its own: a lifecycle rule takes it away.
EXPIRING = {"noria": "passing"}
SILENT_ENDINGS = frozenset({"FeaturesStored"})  # what happens every day is no news


def conclude(stage: Stage, ending: str, reasons: list[str]) -> dict[str, Any]:
    """End a run; a repeated delivery keeps the first ending and repeats what may be missing."""
    document = _document(stage, ending, reasons)
    if not stage.run.finish(document):
        document = stage.store.get_json(stage.run.key("ending.json"))
    write_report(stage, {"name": document["ending"], "reasons": document["reasons"]})
    if not stage.event.features_only:
        RunLog(stage.store).record(
            stage.event.execution,
            ending=document["ending"],
            as_of=stage.event.as_of,
            automatic=document["cause"].get("kind") == "alarm",  # Admit logs no run that it skips
        )
    else:
        _tag_expiring(stage)
    stage.leases.release(stage.event.execution)
    if ending in SILENT_ENDINGS:
        return {"ending": document["ending"], "reasons": document["reasons"]}
    stage.topic.publish(
        f"Noria {stage.environment.stack}: {document['ending']}",
        "\n".join(
            [f"Run {stage.event.execution} ended: {document['ending']}", *document["reasons"]]
        ),
    )
    return {"ending": document["ending"], "reasons": document["reasons"]}


def _tag_expiring(stage: Stage) -> None:
    """Tag what the run leaves: its rows are in the feature store, or of no use to anybody."""
    run = stage.event.execution
    contract = stage.store.get_json(stage.run.key("problem.json"), {"sources": []})
    raw = [f"raw/{source['name']}/run={run}/" for source in contract["sources"]]
    for prefix in (f"clean/run={run}/", f"quarantine/run={run}/", stage.run.key(""), *raw):
        for key in stage.store.keys(prefix):
            stage.store.tag(key, EXPIRING)


def write_report(stage: Stage, ending: dict[str, Any] | None = None) -> str:
    """Render the run's report from what it has recorded so far; returns its key."""
    key = stage.run.key("report.html")
    champion = stage.registry.champion()
    document = {
        "run": _run(stage),
        "problem": stage.store.get_json(stage.run.key("problem.json"), {}),
        "verdicts": stage.run.verdicts(),
        "analysis": stage.store.get_json(stage.run.key("analysis.json"), None),
        "experiments": stage.run.experiments(),
        "evaluation": _evaluation(stage),
        "champion": champion.model_dump(mode="json") if champion else None,
        "ending": ending,
    }
    present = {name: value for name, value in document.items() if value is not None}
    stage.store.put(key, render_report(present).encode(), "text/html; charset=utf-8")
    return key


def _document(stage: Stage, ending: str, reasons: list[str]) -> dict[str, Any]:
    champion = stage.registry.champion()
    return {
        **_run(stage),
        "run_id": stage.event.execution,
        "ending": ending,
        "reasons": reasons,
        "verdicts": stage.run.verdicts(),
        "candidates": stage.run.experiments(),
        "champion": champion.summary() if champion else None,
        "report": stage.run.key("report.html"),
    }


def _run(stage: Stage) -> dict[str, Any]:
    return {
        "id": stage.event.execution,
        "as_of": stage.event.as_of.isoformat(),
        "cause": stage.event.result("run").get("cause") or stage.event.input.get("cause") or {},
    }


def _evaluation(stage: Stage) -> Any:
    iteration = max(stage.iteration, 1)
    return stage.store.get_json(stage.run.iteration_key(iteration, "evaluation.json"), None)
