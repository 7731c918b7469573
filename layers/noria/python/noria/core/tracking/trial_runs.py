"""Trials, and the execution that made them, as runs of MLflow: a parent and its children."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.core.tracking.mlflow_run import RUN, TRIAL, MlflowRun, Values, is_number, is_told

#: What of a trial is chosen before it is fitted; its estimator's parameters are `model.NAME`.
CHOSEN = (
    "candidate", "recipe", "setting", "blend", "rung", "iteration", "rows", "features", "folds",
    "seed",
)  # fmt: skip
#: What is told in another way than by its own name.
TOLD = frozenset({*CHOSEN, "metric", "scores", "score", "mean", "std", "parameters", "trials",
                  "run_id", "trial"})  # fmt: skip
FAILED = "Failed"


def trial_run(document: Mapping[str, Any]) -> MlflowRun:
    """A trial's document, as `experiments/` holds it.

    Numbers become metrics and all else tags, by their own names: whatever else is documented of a
    trial later goes there without being named here.
    """
    metric = str(document.get("metric") or "score")
    rest = {name: value for name, value in document.items() if name not in TOLD}
    numbers = {name: value for name, value in rest.items() if is_number(value)}
    iteration, trial = document.get("iteration", 1), str(document["trial"])
    return MlflowRun(
        name=trial if iteration == 1 else f"{iteration}/{trial}",
        tags={f"noria.{name}": value for name, value in rest.items() if name not in numbers},
        parameters={
            **{name: document.get(name) for name in CHOSEN},
            **_named("model", document.get("parameters") or {}),
        },
        metrics={
            metric: document.get("mean"),
            f"{metric}.std": document.get("std"),
            f"{metric}.fold": document.get("scores") or [],
            **numbers,
        },
        description=_description(document),
        failed=document.get("mean") is None,
        seconds=float(document.get("seconds") or 0.0),
        found_by={RUN: str(document["run_id"]), TRIAL: f"{iteration}/{trial}"},
    )


def execution_run(
    ending: Mapping[str, Any],
    problem: Mapping[str, Any],
    version: str | None,
    judged: Mapping[str, Any],
    signature: Mapping[str, Any],
) -> MlflowRun:
    """An execution with how it ended, and the version that it trained as it was judged.

    `judged` is the version's `evaluation.json` and `signature` its `signature.json`, both empty
    where the run trained none.
    """
    run_id, reasons = str(ending["run_id"]), [str(one) for one in ending.get("reasons") or []]
    objective = problem.get("objective") or {}
    cause = ending.get("cause") or {}
    return MlflowRun(
        name=run_id,
        tags={
            "noria.ending": ending.get("ending"),
            "noria.as_of": ending.get("as_of"),
            "noria.cause": cause,
            "noria.version": version,
            "noria.statement": problem.get("statement"),
            **_named("noria.library", signature.get("versions") or {}),
        },
        parameters={
            "task": problem.get("task"),
            "target": (problem.get("target") or {}).get("name"),
            "objective.metric": objective.get("metric"),
            "objective.threshold": objective.get("threshold"),
            "version": version,
            **{name: signature.get(name) for name in ("candidate", "recipe", "rows", "seed")},
            "fields": len(signature["columns"]) if signature.get("columns") else None,
        },
        metrics=_judged(judged),
        description=f"{ending.get('ending')}: {'; '.join(reasons)}",
        failed=ending.get("ending") == FAILED,
        found_by={RUN: run_id, TRIAL: ""},
    )


def _judged(judged: Mapping[str, Any]) -> Values:
    """What was measured of a version, the baselines beside it."""
    metric, interval = str(judged.get("metric")), judged.get("interval") or {}
    comparison = judged.get("comparison") or {}
    return {
        **(judged.get("metrics") or {}),
        **_named(metric, {name: interval.get(name) for name in ("low", "high")}),
        **_named("baseline", judged.get("baselines") or {}),
        "gain_over_baseline": judged.get("gain_over_baseline"),
        "gain_over_champion": comparison.get("gain"),
        "judged_rows": judged.get("rows"),
    }


def _description(document: Mapping[str, Any]) -> str:
    """What became of a trial, and of each setting that was tried in it, as Markdown."""
    lines = [str(document.get("outcome") or ""), str(document.get("error") or "")]
    tried: Sequence[Mapping[str, Any]] = document.get("trials") or []
    if tried:
        lines += ["| setting | gain | folds | seconds | outcome |", "|---|---|---|---|---|"]
    for one in tried:
        cells = (one.get(name) for name in ("setting", "gain", "folds", "seconds", "outcome"))
        lines.append(f"| {' | '.join('' if cell is None else str(cell) for cell in cells)} |")
    return "\n".join(filter(None, lines))


def _named(prefix: str, values: Values) -> dict[str, Any]:
    return {f"{prefix}.{name}": value for name, value in values.items() if is_told(value)}
