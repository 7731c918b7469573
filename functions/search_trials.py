"""ProposeTrials, TrialFailed, JudgeTrials: which recipes with which candidates are tried, go on."""

from typing import Any

from noria.common.formatting import shortened
from noria.common.verdict import Verdict
from noria.core.data.dataset import Dataset
from noria.core.features.plan import Plan
from noria.core.training.artifact_size import check_size
from noria.core.training.blend_search import BLEND, find_blend
from noria.core.training.fitted_model import members_of
from noria.core.training.learning_curve import learning_curve
from noria.core.training.rungs import Contender, first_rung, last_rung
from noria.core.training.trial import Experiment, Trial
from noria.core.training.trials import (
    RungDecision,
    blend_experiment,
    judge,
    with_blend,
)
from noria.errors import TrainingError
from noria.lifecycle.environment import message_of
from noria.lifecycle.experiments import (
    read_experiments,
    read_predictions,
    read_trials,
    write_experiment,
    write_experiments,
    write_predictions,
    write_trials,
)
from noria.lifecycle.stage import Stage
from noria.lifecycle.stage_logging import logged, note

SEED = 20_13  # that of ExploreModels, whose folds the learning curve takes
#: Trials of a rung beyond which each has an execution of its own: what an inline Map of Step
#: Functions runs at once, and more would fill the run's history and its 256 KiB of state.
MOST_INLINE = 40
LONGEST_ERROR = 500  # characters of why a function was lost, of up to 32 KiB
NO_RESULT = "neither its function nor TrialFailed left a result; see the execution's map"


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Propose a rung's trials, judge what came of them, or write down that one's function failed.

    Trials and what comes of them are in the run's folder, so that the state stays small and it
    makes no difference which map runs them.
    """
    stage = Stage.open(event)
    if stage.event.failure:
        return _lost(stage)
    return _judge(stage) if stage.event.state == "JudgeTrials" else _propose(stage)


def _propose(stage: Stage) -> dict[str, Any]:
    """The first rung of this iteration, or the one that its judgement wants after that."""
    features, judged = stage.event.result("features"), stage.event.result("judge")
    if judged.get("iteration") == stage.iteration:
        kept = [Contender(*one) for one in judged["kept"]]
        trials = last_rung(kept, stage.problem, rung=2, spent=float(judged["seconds"]))
    else:
        trials = first_rung(features["recipes"], stage.problem, features["rows"])
    note(trials=len(trials))
    many = len(trials) > MOST_INLINE
    return {
        "rung": trials[0].rung,
        "count": len(trials),
        "many": many,
        "key": write_trials(stage, trials),
        "trials": [] if many else [one.model_dump(mode="json") for one in trials],
        "execution": stage.event.execution,
        "started_at": stage.event.started_at.isoformat(),
    }


def _lost(stage: Stage) -> dict[str, Any]:
    """Write down of a trial that its function was lost and why; what it left itself stays."""
    trial, failure = Trial.model_validate(stage.event.item), stage.event.failure
    if not read_experiments(stage, [trial.name]):
        error = f"{failure.get('Error')}: {message_of(str(failure.get('Cause', '')))}"
        write_experiment(stage, trial.name, _failed(stage, trial, shortened(error, LONGEST_ERROR)))
    return {"trial": trial.name}


def _failed(stage: Stage, trial: Trial, error: str) -> Experiment:
    return Experiment(
        candidate=trial.candidate,
        setting=trial.setting,
        recipe=trial.recipe,
        iteration=stage.iteration,
        rung=trial.rung,
        metric=stage.problem.objective.metric,
        error=error,
    )


def _judge(stage: Stage) -> dict[str, Any]:
    """Write down what became of each trial; the winner's plan becomes the iteration's."""
    experiments = _experiments(stage)
    seconds = sum(one.fit_seconds + one.score_seconds for one in experiments.values())
    recipes = len(stage.event.result("features")["recipes"])
    judgement = judge(experiments, stage.problem, recipes)
    curve: list[str] = []
    if not judgement.another:
        judgement = _blended(stage, experiments, judgement)
        curve = _with_curve(stage, experiments, judgement.kept[0])
    documented = {
        name: experiments[name].model_copy(update={"outcome": outcome})
        for name, outcome in judgement.outcomes.items()
    }
    write_experiments(stage, documented)
    kept = [experiments[name] for name in judgement.kept]
    decision, before = "another_rung", []
    if not judgement.another:
        decision, before = "train", _before(stage)
        plan = stage.store.get(stage.plan_key(kept[0].recipe))
        stage.store.put(stage.run.iteration_key(stage.iteration, "plan.json"), plan)
    verdict = Verdict(
        decision=decision,
        reasons=[*before, judgement.reason, *curve],
        evidence={"outcomes": judgement.outcomes},
    )
    return {
        **stage.decided(verdict),
        "iteration": stage.iteration,
        "kept": [[one.recipe, one.candidate, one.setting] for one in kept],
        "trial": judgement.kept[0],
        "seconds": round(seconds, 3),
    }


def _experiments(stage: Stage) -> dict[str, Experiment]:
    """What came of each trial that was proposed; of one that left nothing, that it failed."""
    trials = read_trials(stage)
    found = read_experiments(stage, [one.name for one in trials])
    return {one.name: found.get(one.name) or _failed(stage, one, NO_RESULT) for one in trials}


def _blended(
    stage: Stage, experiments: dict[str, Experiment], judgement: RungDecision
) -> RungDecision:
    """Take a blend in the winner's place where that is better; it becomes an experiment too."""
    if not stage.problem.exploration.blend:
        return judgement
    best, learnt = judgement.kept[0], 1 - 1 / stage.problem.exploration.folds
    tried = [name for name, one in experiments.items() if one.mean is not None]
    answers = {name: read_predictions(stage, name) for name in tried}
    told = judgement
    while (found := find_blend(answers, best, stage.problem)) is not None:
        blend = blend_experiment(found, experiments)
        try:
            check_size(blend.artifact_bytes or 0, stage.problem, learnt)
        except TrainingError as error:  # without its largest part, unless that is the best
            told = judgement.model_copy(update={"reason": f"{judgement.reason}; a blend: {error}"})
            others = [name for name in found.weights if name != best]
            answers.pop(max(others, key=lambda name: experiments[name].artifact_bytes or 0))
            continue
        name = f"{experiments[best].rung}.{BLEND}"
        experiments[name] = blend
        write_predictions(stage, name, found.predicted)
        return with_blend(told, name, blend)
    return told


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
