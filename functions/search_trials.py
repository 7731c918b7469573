"""ProposeTrials and JudgeTrials: which recipes with which candidates are tried, and go on."""

from typing import Any

from noria.common.verdict import Verdict
from noria.core.data.dataset import Dataset
from noria.core.features.plan import Plan
from noria.core.training.blend_search import BLEND, find_blend
from noria.core.training.fitted_model import members_of
from noria.core.training.learning_curve import learning_curve
from noria.core.training.trial import Experiment, Trial
from noria.core.training.trials import (
    RungDecision,
    blend_experiment,
    first_rung,
    judge,
    last_rung,
    with_blend,
)
from noria.lifecycle.environment import message_of
from noria.lifecycle.experiments import (
    read_experiment,
    read_predictions,
    write_experiment,
    write_predictions,
)
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note

SEED = 20_13  # that of ExploreModels, whose folds the learning curve takes


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Propose a rung's trials, or judge what came of them."""
    stage = Stage.open(event)
    return _judge(stage) if stage.event.state == "JudgeTrials" else _propose(stage)


def _propose(stage: Stage) -> dict[str, Any]:
    """The first rung of this iteration, or the one that its judgement wants after that."""
    features, judged = stage.event.result("features"), stage.event.result("judge")
    if judged.get("iteration") == stage.iteration:
        kept = [(str(recipe), str(candidate)) for recipe, candidate in judged["kept"]]
        spent = sum(float(one.get("seconds") or 0) for one in stage.event.input["explore"])
        trials = last_rung(kept, stage.problem, rung=2, spent=spent)
    else:
        trials = first_rung(features["recipes"], stage.problem, features["rows"])
    note(trials=len(trials))
    return {"trials": [one.model_dump(mode="json") for one in trials]}


def _judge(stage: Stage) -> dict[str, Any]:
    """Write down what became of each trial; the winner's plan becomes the iteration's."""
    experiments = dict(_experiment(stage, one) for one in stage.event.input["explore"])
    recipes = len(stage.event.result("features")["recipes"])
    judgement = judge(experiments, stage.problem, recipes)
    told = []
    if not judgement.another:
        judgement = _blended(stage, experiments, judgement)
        told = _with_curve(stage, experiments, judgement.kept[0])
    for name, outcome in judgement.outcomes.items():
        write_experiment(stage, name, experiments[name].model_copy(update={"outcome": outcome}))
    kept = [experiments[name] for name in judgement.kept]
    decision, before = "another_rung", []
    if not judgement.another:
        decision, before = "train", _before(stage)
        plan = stage.store.get(stage.plan_key(kept[0].recipe))
        stage.store.put(stage.run.iteration_key(stage.iteration, "plan.json"), plan)
    verdict = Verdict(
        decision=decision,
        reasons=[*before, judgement.reason, *told],
        evidence={"outcomes": judgement.outcomes},
    )
    return {
        **stage.decided(verdict),
        "iteration": stage.iteration,
        "kept": [[one.recipe, one.candidate] for one in kept],
        "trial": judgement.kept[0],
    }


def _experiment(stage: Stage, explored: dict[str, Any]) -> tuple[str, Experiment]:
    """What came of a trial; of one whose function was lost, that it failed and why."""
    if "failure" not in explored:
        name = str(explored["trial"])
        return name, read_experiment(stage, name)
    trial, failure = Trial.model_validate(explored["item"]), explored["failure"]
    error = f"{failure.get('Error')}: {message_of(str(failure.get('Cause', '')))}"
    return trial.name, Experiment(
        candidate=trial.candidate,
        recipe=trial.recipe,
        iteration=stage.iteration,
        rung=trial.rung,
        metric=stage.problem.objective.metric,
        error=error,
    )


def _blended(
    stage: Stage, experiments: dict[str, Experiment], judgement: RungDecision
) -> RungDecision:
    """Take a blend in the winner's place where that is better; it becomes an experiment too."""
    if not stage.problem.exploration.blend:
        return judgement
    tried = [name for name, one in experiments.items() if one.mean is not None]
    answers = {name: read_predictions(stage, name) for name in tried}
    found = find_blend(answers, judgement.kept[0], stage.problem)
    if found is None:
        return judgement
    name = f"{experiments[judgement.kept[0]].rung}.{BLEND}"
    experiments[name] = blend_experiment(found, experiments)
    write_predictions(stage, name, found.predicted)
    return with_blend(judgement, name, experiments[name])


def _with_curve(stage: Stage, experiments: dict[str, Experiment], name: str) -> list[str]:
    """Measure whether more rows would help the winner, and say so."""
    chosen = experiments[name]
    plans = {
        recipe: Plan.model_validate_json(stage.store.get(stage.plan_key(recipe)))
        for recipe in chosen.recipes
    }
    dataset, answers = Dataset.from_bytes(stage.dataset()), read_predictions(stage, name)
    curve, sentence = learning_curve(
        dataset, members_of(chosen, plans), answers, stage.problem, SEED
    )
    experiments[name] = chosen.model_copy(update={"learning_curve": curve})
    return [sentence]


def _before(stage: Stage) -> list[str]:
    """What the rung before this one decided, in this iteration."""
    judged = stage.event.result("judge")
    return list(judged["reasons"]) if judged.get("iteration") == stage.iteration else []
