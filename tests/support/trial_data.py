"""Trials as the machine proposes them, and what it makes of experiments."""

from collections.abc import Sequence

from noria.contracts import Problem
from noria.core.training.rungs import first_rung
from noria.core.training.trial import Experiment, Trial
from noria.core.training.trials import judge


def trial_of(problem: Problem, candidate: str, recipe: str = "basic") -> Trial:
    """The trial of a candidate where one recipe is tried alone."""
    proposed = first_rung([recipe], problem, problem.exploration.rows)
    return next(one for one in proposed if one.candidate == candidate)


def chosen_of(experiments: Sequence[Experiment], problem: Problem) -> str:
    """The candidate of the experiment that is chosen where one recipe is tried alone."""
    named = {str(number): one for number, one in enumerate(experiments)}
    [name] = judge(named, problem, recipes=1).kept
    return named[name].candidate
