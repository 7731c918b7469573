"""Which settings of a candidate are worth their time: successive halving over the folds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from noria.common.messages import counted
from noria.core.statistics.corrected_t_test import surely_gains

TAKEN = "taken"
#: Scores one setting on one fold, and says how long it took: (score, seconds).
ScoreFold = Callable[[str, int], tuple[float, float]]


@dataclass
class SettingTrial:
    """A setting that was tried: scores and gains over the usual one by fold, and its fate."""

    setting: str
    scores: dict[int, float] = field(default_factory=dict)
    gains: dict[int, float] = field(default_factory=dict)
    seconds: float = 0.0
    outcome: str = ""

    @property
    def mean_gain(self) -> float:
        """The mean of its gains; minus infinity where it has none."""
        return float(np.mean([*self.gains.values()])) if self.gains else -np.inf


@dataclass(frozen=True)
class Race:
    """What a search may spend, and what it compares with: the usual setting, or `against`.

    `usual` are that setting's scores of the folds, None where one could not be scored;
    `gain` is how much better a first score is than a second; `overlap` is the size of a fold in
    training rows, for the variance of the mean; `fold_seconds` is what that setting takes on a
    fold, `seconds` what all others may take, `costs` are times its own; `confidence` is one-sided.
    """

    usual: Sequence[float | None]
    gain: Callable[[float, float], float]
    overlap: float
    costs: Mapping[str, float]
    fold_seconds: float
    seconds: float
    confidence: float
    against: str = "the usual setting"


def search(
    race: Race, score_fold: ScoreFold, errors: tuple[type[Exception], ...]
) -> list[SettingTrial]:
    """Try the settings fold after fold, the latest fold first; after each the worse half goes.

    Successive halving (Jamieson and Talwalkar 2016, "Non-stochastic best arm identification"),
    with folds as the resource. One that does not gain on its folds goes as well, one that fails
    costs the others nothing. Where time is short the dearest are left out from the start, so that
    the others can finish. The one that is taken in the end has the outcome `TAKEN`: its gain is
    above zero by `surely_gains`. That is not corrected for the number of settings: one that is no
    worse costs nothing, and one that is better is missed more often than not with a correction.
    """
    trials = [SettingTrial(name) for name in race.costs]
    rungs = [fold for fold, score in enumerate(race.usual) if score is not None][::-1]
    running = _affordable(trials, race, len(rungs))
    for number, fold in enumerate(rungs, 1):
        for trial in running:
            _run(trial, fold, race, trials, score_fold, errors)
        left = [one for one in running if not one.outcome]
        running = _survivors(left, race, last=number == len(rungs))
    if running:
        best = max(running, key=lambda one: one.mean_gain)
        for one in running:
            taken = one is best and _surely_better(one, race)
            one.outcome = TAKEN if taken else f"no better than {race.against} beyond chance"
    return trials


def _affordable(trials: Sequence[SettingTrial], race: Race, rungs: int) -> list[SettingTrial]:
    """Leave out the dearest until there is time for all folds, whoever survives."""
    kept = sorted(trials, key=lambda one: race.costs[one.setting])
    while kept and (needed := _planned(kept, race, rungs)) > race.seconds:
        kept.pop().outcome = f"not tried: {race.seconds:.0f} s were left, {needed:.0f} s needed"
    return [one for one in trials if not one.outcome]


def _planned(trials: Sequence[SettingTrial], race: Race, rungs: int) -> float:
    """Seconds of a race that the dearest survive."""
    costs = sorted((race.costs[one.setting] for one in trials), reverse=True)
    planned = 0.0
    for _ in range(rungs):
        planned += sum(costs) * race.fold_seconds
        costs = costs[: (len(costs) + 1) // 2]
    return planned


def _run(
    trial: SettingTrial,
    fold: int,
    race: Race,
    trials: Sequence[SettingTrial],
    score_fold: ScoreFold,
    errors: tuple[type[Exception], ...],
) -> None:
    left = race.seconds - sum(one.seconds for one in trials)
    expected = race.costs[trial.setting] * race.fold_seconds
    if expected > left:
        done = counted(len(trial.gains), "fold")
        trial.outcome = (
            f"stopped after {done}: {left:.0f} s were left, a fold takes {expected:.0f} s"
        )
        return
    try:
        score, seconds = score_fold(trial.setting, fold)
    except errors as error:
        trial.outcome = f"failed: {type(error).__name__}: {error}"
        return
    usual = race.usual[fold]
    trial.seconds += seconds
    if usual is not None:
        trial.scores[fold] = score
        trial.gains[fold] = race.gain(score, usual)


def _survivors(running: list[SettingTrial], race: Race, *, last: bool) -> list[SettingTrial]:
    """Keep the better half, and of these who gain; after the last fold all who do."""
    ordered = sorted(running, key=lambda one: -one.mean_gain)
    kept = ordered if last else ordered[: (len(ordered) + 1) // 2]
    kept = [one for one in kept if one.mean_gain > 0]
    for one in ordered:
        if one not in kept:
            after = counted(len(one.gains), "fold")
            one.outcome = f"dropped after {after}, {one.mean_gain:+.4g} against {race.against}"
    return kept


def _surely_better(trial: SettingTrial, race: Race) -> bool:
    gains = np.array([*trial.gains.values()])
    return surely_gains(gains, race.overlap, race.confidence)
