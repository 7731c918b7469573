"""EvaluateModel: against the problem statement, and against the champion."""

import io
from typing import Any, NamedTuple

import numpy as np

from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.evaluation.error_analysis import find_weaknesses
from noria.core.evaluation.evaluate import baselines_of, evaluate
from noria.core.evaluation.results import EvaluationResult
from noria.core.evaluation.verdicts import beats_champion, meets_objective
from noria.core.features.plan import Plan, has_next
from noria.core.ml_need.quick_model import quick_model
from noria.core.model.signature import Signature
from noria.core.rule_model.rule_model import RULE
from noria.core.statistics import metrics
from noria.core.statistics.best_threshold import answers_by_halves, thresholds_by_halves
from noria.core.training.candidate_search import OutOfFold
from noria.core.training.folds import sample_rows
from noria.lifecycle.conclude import write_report
from noria.lifecycle.experiments import JUDGED_FOLDS, read_predictions
from noria.lifecycle.model_card import write_model_card
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note

SEED = 20_13
WINDOWS = "windows"  # the recipe that reads history


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Judge the artifact's own scores; say whether to try the next recipe when they fall short.

    A rule that is served has no next recipe, and owes no gain over itself.
    """
    stage = Stage.open(event)
    dataset = Dataset.from_bytes(stage.dataset())
    note(rows_in=dataset.holdout_size)
    evaluation = _evaluation(stage, dataset)
    document = evaluation.model_dump(mode="json")
    stage.store.put_json(stage.run.iteration_key(stage.iteration, "evaluation.json"), document)
    stage.store.put_json(f"models/{stage.version}/evaluation.json", document)
    verdict = objective = meets_objective(evaluation)
    objective = objective.model_copy(
        update={"reasons": [*objective.reasons, *_not_needed(stage, objective.decision)]}
    )
    decided = stage.decided(objective)
    if objective.decision == "met":
        verdict = beats_champion(evaluation)
        stage.decided(verdict, "BeatsChampion")
    final_fit = _fits_all_rows(stage, dataset)
    wins = verdict.decision == "wins"
    told = ["once accepted, it is fitted again on all rows"] if final_fit and wins else []
    reasons = [*objective.reasons, *verdict.reasons, *told]
    write_model_card(stage, _signature(stage), evaluation, reasons)
    write_report(stage)
    return {
        **decided,
        "objective": _next(stage, dataset, objective.decision, evaluation),
        "challenger": verdict.decision,
        "final_fit": final_fit,
        "reasons": [*_told(stage, objective.decision), *verdict.reasons][:4],
        "metrics": evaluation.metrics,
    }


def _fits_all_rows(stage: Stage, dataset: Dataset) -> bool:
    """Whether the holdout is learnt too; where it is small its rows are worth most."""
    small = _judged_by_all_rows(stage, dataset) and stage.problem.training.final_fit == "auto"
    return (stage.problem.fits_all_rows or small) and not _is_rule(stage)


def _next(stage: Stage, dataset: Dataset, decision: str, evaluation: EvaluationResult) -> str:
    if decision == "met":
        return decision
    if _is_rule(stage):
        return "rule_falls_short"
    content = stage.store.get(stage.run.iteration_key(stage.iteration, "plan.json"))
    plan, tried = Plan.model_validate_json(content), stage.event.result("features").get("tried", [])
    turn = stage.event.turn - 1
    if has_next(dataset, stage.problem, turn, plan, evaluation.findings, tried):
        return "try_next_recipe"
    return "too_few_rows" if decision == "undecided" else "exhausted"


def _told(stage: Stage, decision: str) -> list[str]:
    rule = stage.problem.baseline.rule
    served = _is_rule(stage) and decision == "met"
    return [f"the rule {rule!r} is what answers"] if served else []


def _not_needed(stage: Stage, decision: str) -> list[str]:
    """The history that the contract names and a model did without."""
    unread = [one.as_ for one in stage.problem.features.windows
              if one.as_ in _signature(stage).unused]  # fmt: skip
    if decision != "met" or not unread:
        return []
    tried = stage.event.result("features").get("tried", [])
    seen = any(WINDOWS in recipe.split("+") for recipe in tried)
    why = "with it no recipe was better" if seen else "a higher threshold makes the machine try it"
    return [f"met without the history {', '.join(unread)}: {why}"]


def _is_rule(stage: Stage) -> bool:
    return bool(stage.event.result("train").get("decision") == RULE)


def _asked(stage: Stage) -> Problem:
    """The problem; `minimum_gain` is what a model owes over the rule, not the rule."""
    problem = stage.problem
    if not _is_rule(stage):
        return problem
    objective = problem.objective.model_copy(update={"minimum_gain": 0.0})
    return problem.model_copy(update={"objective": objective})


class _Answered(NamedTuple):
    """Rows with what answers them: the artifact, its pipeline, and the champion."""

    rows: Dataset
    challenger: Any
    pipeline: Any
    threshold: Any
    champion: Any = None
    quick: Any = None
    out_of_fold: int = 0
    widening: float = 1.0


def _evaluation(stage: Stage, dataset: Dataset) -> EvaluationResult:
    """Judge by the holdout; where that is small by all rows, the champion compared on it alone."""
    scores = _scores(stage)
    challenger, pipeline = scores["challenger"], scores["pipeline"]
    threshold = _signature(stage).threshold
    holdout = _Answered(
        dataset.holdout_rows,
        challenger,
        pipeline,
        threshold,
        _champion(stage, scores),
        _quick(stage, dataset),
    )
    found = _measured(stage, dataset, holdout)
    found = found.model_copy(update={"coverage": _coverage(stage, holdout)})
    if not _judged_by_all_rows(stage, dataset):
        return found
    folds = read_predictions(stage, JUDGED_FOLDS)
    if not len(folds.rows):
        return found
    rows = np.concatenate([folds.rows, np.flatnonzero(dataset.holdout)])
    every = _Answered(
        dataset.take(rows),
        np.concatenate([folds.scores, challenger]),
        np.concatenate([folds.scores, pipeline]),
        _thresholds(stage.problem, folds, threshold, len(challenger)),
        out_of_fold=len(folds.rows),
        widening=folds.widening,
    )
    of_holdout = ("comparison", "quick_model", "parity", "coverage")
    kept = {name: getattr(found, name) for name in of_holdout}
    return _measured(stage, dataset, every).model_copy(update=kept)


def _coverage(stage: Stage, holdout: _Answered) -> float | None:
    """The share of the holdout's values within the intervals, which knew none of them."""
    interval = _signature(stage).interval
    if interval is None:
        return None
    low, high = interval.around(holdout.challenger)
    target = holdout.rows.target
    return float(np.mean((target >= low) & (target <= high)))


def _quick(stage: Stage, dataset: Dataset) -> Any:
    """The holdout's answers of the quick model that Analyse had, which knew no history."""
    if _is_rule(stage):
        return None
    windows = {window.as_ for window in stage.problem.features.windows}
    seen = dataset.only([name for name in dataset.names() if name not in windows])
    if not seen.columns:
        return None
    training = sample_rows(seen.training, stage.problem.analysis.sample_rows, SEED)
    holdout = seen.holdout_rows
    return answers_by_halves(stage.problem, holdout.target, quick_model(training, holdout, SEED))


def _champion(stage: Stage, scores: dict[str, Any]) -> Any:
    """The holdout's answers of the champion, as its own threshold decides."""
    if "champion" not in scores:
        return None
    version = str(stage.event.result("score")["champion"])
    signature = Signature.model_validate(stage.registry.json_file(version, "signature.json"))
    metric = stage.problem.objective.measure
    return metrics.decided(metric, scores["champion"], signature.threshold)


def _thresholds(problem: Problem, folds: OutOfFold, served: float, holdout: int) -> Any:
    """What each judged row is decided by: no row of a fold by a threshold that knew it."""
    if problem.task != "binary":
        return served
    found = thresholds_by_halves(problem, folds.target, folds.scores)
    return np.concatenate([found, np.full(holdout, served)])


def _judged_by_all_rows(stage: Stage, dataset: Dataset) -> bool:
    return dataset.holdout_size < stage.problem.evaluation.small_holdout and not _is_rule(stage)


def _measured(stage: Stage, dataset: Dataset, judged: _Answered) -> EvaluationResult:
    rows, signature = judged.rows, _signature(stage)
    return evaluate(
        _asked(stage),
        rows.target,
        {name: rows.data[name] for name in rows.names("category")}
        | rows.slice_columns(one.column for one in stage.problem.objective.slices),
        judged.challenger,
        judged.pipeline,
        judged.champion,
        _baselines(stage, dataset.training, rows),
        SEED,
        stage.event.result("score").get("champion_unscorable") or "",
        find_weaknesses(stage.problem, rows, judged.challenger, signature.importances,
                        signature.unused),
        rows.event_time,
        judged.threshold,
        judged.out_of_fold,
        judged.widening,
        judged.quick,
    )  # fmt: skip


def _signature(stage: Stage) -> Signature:
    return Signature.model_validate(stage.registry.json_file(stage.version, "signature.json"))


def _scores(stage: Stage) -> dict[str, Any]:
    content = stage.store.get(stage.run.iteration_key(stage.iteration, "scores.npz"))
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        scores = {name: archive[name] for name in archive.files}
    pipeline = stage.store.get(stage.run.iteration_key(stage.iteration, "pipeline_scores.npy"))
    return scores | {"pipeline": np.load(io.BytesIO(pipeline), allow_pickle=False)}


def _baselines(stage: Stage, training: Dataset, judged: Dataset) -> dict[str, float]:
    """The best that Analyse found without ML, and what is scored on all judged rows."""
    best = stage.event.result("analyse").get("baseline")
    found = {str(best["name"]): float(best["score"])} if best else {}
    found |= baselines_of(training, judged, stage.problem.objective.measure)
    return {name: score for name, score in found.items() if not (_is_rule(stage) and name == RULE)}
