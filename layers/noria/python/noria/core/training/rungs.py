"""The rungs of the search for a model: which recipes are tried with which candidates and settings.

Successive halving over training rows (Jamieson and Talwalkar 2016, "Non-stochastic best arm
identification"): the first rung tries every recipe with every candidate on a part of the rows, the
last one the best of them on all rows, with the candidates' settings.
"""

from collections.abc import Sequence
from typing import NamedTuple

from noria.contracts import Problem
from noria.core.training.candidates import CANDIDATES
from noria.core.training.learning_curve import CURVE_SHARE
from noria.core.training.trial import Trial

#: A first rung takes a quarter of the rows. Convention: three rungs of halving in one step, as a
#: trial's own costs (reading, encoding) make more rungs dearer than what they save.
PART_OF_ROWS = 4
#: Rows below which a first rung would rank by chance: a ROC AUC of 0.7 on a fifth of 2,000 is known
#: to 0.025 (Hanley and McNeil 1982).
FEWEST_ROWS = 2_000
#: Folds that a first rung scores. Convention: the fewest that show how much folds differ.
FIRST_FOLDS = 3
#: Trials of the last rung, where a first one chose them. Convention: few enough that each has time
#: for its settings, and more than one kind of model for a blend.
FINALISTS = 4
#: Share of the seconds that the first rung has; its trials are many and small.
FIRST_SHARE = 1 / 2
#: Seconds that a trial may plan with: its function ends after 900, and the fold that exceeds its
#: time is finished.
MOST_SECONDS = 600.0
#: `exploration.trials` beyond which settings are trials of the first rung; up to it they race
#: inside those of the last one alone. Convention: what is far above the default, and more than a
#: run's own execution takes side by side.
MANY = 40


class Contender(NamedTuple):
    """A recipe with a candidate, and with a setting of that in place of its usual one, ""."""

    recipe: str
    candidate: str
    setting: str = ""

    @property
    def cost(self) -> float:
        """How long a fit takes, in fits with the candidate's usual parameters."""
        return CANDIDATES[self.candidate].setting(self.setting).cost if self.setting else 1.0


def first_rung(recipes: Sequence[str], problem: Problem, rows: int) -> list[Trial]:
    """Propose every recipe with every candidate, on a part of the `rows` where they are many."""
    exploration = problem.exploration
    usual = problem.candidates_of_every_recipe
    pairs = [Contender(recipe, candidate) for recipe in recipes for candidate in usual]
    others = _others(problem, min(rows, exploration.rows))
    left = max(0, exploration.trials - len(pairs))
    pairs += [Contender(recipes[0], name) for name in others][:left]
    if not in_two_rungs(len(recipes), len(pairs)):
        return last_rung(pairs, problem, 1)
    contenders = pairs + _with_settings(pairs, exploration.trials)
    cost = sum(one.cost for one in contenders)
    rows = min(rows, exploration.rows)
    return [
        Trial(
            **one._asdict(),
            rung=1,
            rows=max(min(rows, FEWEST_ROWS), rows // PART_OF_ROWS),
            seconds=min(MOST_SECONDS, exploration.seconds * FIRST_SHARE * one.cost / cost),
            folds=FIRST_FOLDS,
        )
        for one in contenders
    ]


def _others(problem: Problem, rows: int) -> list[str]:
    """The candidates that are tried with the first recipe only, of those that take so many rows."""
    usual = problem.candidates_of_every_recipe
    limits = {name: CANDIDATES[name].most_rows for name in problem.candidates if name not in usual}
    return [name for name, most in limits.items() if most is None or rows <= most]


def _with_settings(pairs: Sequence[Contender], trials: int) -> list[Contender]:
    """The pairs with their candidates' settings, as far as many trials are left for them.

    Each pair's most promising setting comes first, then the second one of each.
    """
    if trials <= MANY:
        return []
    names = {one.candidate: [*CANDIDATES[one.candidate].settings] for one in pairs}
    found = [
        one._replace(setting=names[one.candidate][place])
        for place in range(max(map(len, names.values())))
        for one in pairs
        if place < len(names[one.candidate])
    ]
    return found[: max(0, trials - len(pairs))]


def in_two_rungs(recipes: int, trials: int) -> bool:
    """Whether so many trials of so many recipes need a first rung to choose from them."""
    return recipes > 1 and trials > FINALISTS


def last_rung(
    kept: Sequence[Contender], problem: Problem, rung: int, spent: float = 0.0
) -> list[Trial]:
    """Propose what was kept on all rows, with the candidates' other settings.

    They have what the rung before them has not `spent` of the seconds, and its share of them where
    it spent more than that; but for what the winner's learning curve has.
    """
    exploration = problem.exploration
    left = max(exploration.seconds - spent, exploration.seconds * (1 - FIRST_SHARE))
    left -= exploration.seconds * CURVE_SHARE
    settings = exploration.trials // max(1, len(kept)) - 1
    return [
        Trial(
            **one._asdict(),
            rung=rung,
            rows=exploration.rows,
            seconds=min(MOST_SECONDS, left / len(kept)),
            settings=max(0, settings),
        )
        for one in kept
    ]
