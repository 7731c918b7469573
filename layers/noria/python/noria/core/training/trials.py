"""The search for a model: which trials of a rung go on, and which one is trained."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from noria.common.messages import counted
from noria.contracts import Problem
from noria.core.model.signature import BlendMember
from noria.core.statistics import metrics
from noria.core.training.blend_search import BLEND, Blend
from noria.core.training.candidate_search import raise_if_all_failed
from noria.core.training.candidates import CANDIDATES
from noria.core.training.rungs import FINALISTS, in_two_rungs
from noria.core.training.trial import Experiment


class RungDecision(BaseModel):
    """What a rung's experiments decide: which go on, or the one that is trained; and why.

    `kept` are names of trials, the best first; `outcomes` says of each what became of it.
    """

    model_config = ConfigDict(frozen=True)

    another: bool
    kept: list[str]
    outcomes: dict[str, str]
    reason: str


def judge(experiments: Mapping[str, Experiment], problem: Problem, recipes: int) -> RungDecision:
    """Decide on a rung's experiments, which have the names of their trials.

    `recipes` is how many compete in this iteration. After a first rung of many trials the best of
    each candidate go on; after the last one the winner is trained. TrainingError where no trial
    could be scored.
    """
    raise_if_all_failed([*experiments.values()])
    tried = {name: one for name, one in experiments.items() if one.mean is not None}
    metric = problem.objective.measure
    ordered = _ordered(tried, metric)
    best = tried[ordered[0]]
    outcomes = dict.fromkeys(experiments, "failed") | {
        name: _behind(one, best, metric) for name, one in tried.items()
    }
    if best.rung == 1 and in_two_rungs(recipes, len(experiments)):
        kept = _finalists(tried, ordered)
        going = f"{counted(len(kept), 'trial')} of {len(experiments)} go on"
        reason = f"{going}, the best so far {best.title}"
        outcomes |= dict.fromkeys(kept, "goes on")
        return RungDecision(another=True, kept=kept, outcomes=outcomes, reason=reason)
    name, why = _choose(tried, ordered[0], problem)
    return RungDecision(
        another=False,
        kept=[name],
        outcomes=outcomes | {name: f"chosen: {why}"},
        reason=f"{tried[name].title}: {why}",
    )


def blend_experiment(blend: Blend, experiments: Mapping[str, Experiment]) -> Experiment:
    """Document a blend of experiments; its recipe is that of the heaviest."""
    members = [experiments[name] for name in blend.weights]
    return members[0].model_copy(
        update={
            "candidate": BLEND,
            "setting": "",
            "blend": tuple(
                BlendMember(
                    candidate=one.candidate, recipe=one.recipe, setting=one.setting, weight=weight
                )
                for one, weight in zip(members, blend.weights.values(), strict=True)
            ),
            "scores": blend.scores,
            "mean": float(np.mean(blend.scores)),
            "std": float(np.std(blend.scores)),
            "fit_seconds": round(sum(one.fit_seconds for one in members), 3),
            "score_seconds": round(sum(one.score_seconds for one in members), 3),
            "features": sum(one.features for one in members),
            "artifact_bytes": sum(one.artifact_bytes or 0 for one in members) or None,
            "memory_megabytes": None,
            "parameters": {},
            "trials": [],
            "notes": [],
        }
    )


def with_blend(decision: RungDecision, name: str, blend: Experiment) -> RungDecision:
    """Put a blend in the place of the trial that it is better than."""
    [before] = decision.kept
    made_of = ", ".join(str(one) for one in blend.blend)
    why = f"better than the best trial, at weights that other folds found: {made_of}"
    return decision.model_copy(
        update={
            "kept": [name],
            "outcomes": decision.outcomes
            | {before: "the best trial, behind a blend", name: f"chosen: {why}"},
            "reason": f"{BLEND}: {why}",
        }
    )


def _finalists(tried: Mapping[str, Experiment], ordered: Sequence[str]) -> list[str]:
    """Each candidate's best recipe, and what else is best where candidates are few.

    On a part of the rows recipes are ranked more surely than candidates, whose order changes as
    rows become more: boosting gains where a linear model has learnt all it can.
    """
    first: dict[str, str] = {}
    for name in ordered:
        first.setdefault(tried[name].candidate, name)
    others = [name for name in ordered if name not in first.values()]
    chosen = [*first.values(), *others][:FINALISTS]
    return [name for name in ordered if name in chosen]


def _ordered(tried: Mapping[str, Experiment], metric: str) -> list[str]:
    """Name experiments by what they gain, the best first.

    Time may end before each has scored all folds, and folds differ more than models do. So each is
    compared with one of those that have most of them, on the folds that both have.
    """
    most = max(len(one.scores) for one in tried.values())
    complete = [one for one in tried.values() if len(one.scores) == most]
    reference = max(complete, key=lambda one: metrics.gain(metric, float(np.mean(one.scores)), 0.0))
    return sorted(tried, key=lambda name: float(_gaps(metric, reference, tried[name]).mean()))


def _choose(tried: Mapping[str, Experiment], best: str, problem: Problem) -> tuple[str, str]:
    """Return the best, or a simpler model within one standard error of it; and why.

    The standard error is that of the paired differences per fold (Breiman's one-standard-error
    rule, paired), and only trusted from `exploration.fewest_folds` on. The simpler candidate comes
    first, then the shorter recipe.
    """
    metric, fewest = problem.objective.measure, problem.exploration.fewest_folds
    chosen = next(
        name
        for name in sorted(tried, key=lambda name: _simplicity(tried[name]))
        if name == best or _as_good(metric, tried[name], tried[best], fewest)
    )
    if chosen == best:
        return best, f"the best mean {problem.objective.metric} of {counted(len(tried), 'trial')}"
    return chosen, f"simpler than {tried[best].title} and within one standard error of it"


def _simplicity(one: Experiment) -> tuple[int, int, bool]:
    parts = one.recipe.count("+") + (one.recipe != "basic")
    return CANDIDATES[one.candidate].complexity, parts, bool(one.setting)


def _as_good(metric: str, one: Experiment, best: Experiment, fewest: int) -> bool:
    """Tell whether `one` trails `best` by no more than the standard error of the difference."""
    gaps = _gaps(metric, best, one)
    return len(gaps) >= fewest and bool(gaps.mean() <= _standard_error(gaps))


def _behind(one: Experiment, best: Experiment, metric: str) -> str:
    """Say how far an experiment is behind the best, with the standard error of that."""
    gaps = _gaps(metric, best, one)
    error = f" ± {_standard_error(gaps):.3g}" if len(gaps) > 1 else ""
    return f"{gaps.mean():.3g}{error} behind {best.title}"


def _gaps(metric: str, ahead: Experiment, behind: Experiment) -> NDArray[np.float64]:
    """How much better one is than another, on the folds that both have; the latest is first."""
    pairs = zip(ahead.scores, behind.scores, strict=False)
    return np.array([metrics.gain(metric, one, other) for one, other in pairs])


def _standard_error(gaps: NDArray[np.float64]) -> float:
    largest = float(np.abs(gaps).max())
    if not largest:
        return 0.0
    scaled = gaps / largest  # squares of an R2 of -1e300 are no doubles
    return float(scaled.std(ddof=1) / np.sqrt(len(gaps))) * largest
