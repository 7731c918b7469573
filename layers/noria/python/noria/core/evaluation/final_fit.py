"""Whether a model that was fitted once more, on all rows, may serve in place of the judged one."""

from typing import NamedTuple

from noria.common.arrays import Array
from noria.common.verdict import Verdict
from noria.contracts import Problem
from noria.core.evaluation.parity import check_parity
from noria.core.statistics import metrics
from noria.errors import DataError, ParityError


class JudgedScore(NamedTuple):
    """What the judged model scored on the holdout, with its interval where it has one."""

    value: float
    low: float | None
    high: float | None


def judge_final_fit(
    problem: Problem,
    y: Array,
    exported: Array,
    pipeline: Array,
    judged: JudgedScore,
    threshold: float = metrics.LABEL_THRESHOLD,
) -> Verdict:
    """Decide "adopted" or "kept" by the holdout's rows, which the final fit has seen.

    Its artifact must answer as its pipeline does, as each version's must. Having seen these rows it
    should score them no worse than the judged model did; one below the interval of that one's score
    has not learnt what the judged model had.
    """
    metric = problem.objective.measure
    try:
        check_parity(y, exported, pipeline, problem.task, problem.evaluation.parity, threshold)
        value = metrics.score(metric, y, metrics.decided(metric, exported, threshold))
    except (ParityError, DataError) as error:
        return Verdict(decision="kept", reasons=[f"the judged model serves: {error}"], evidence={})
    worst = judged.low if metrics.is_better_higher(metric) else judged.high
    evidence = {"metric": problem.objective.metric, "seen": value, "judged": judged.value}
    if not metrics.meets(metric, value, judged.value if worst is None else worst):
        reason = (
            f"the judged model serves: fitted on all rows, {problem.objective.metric} is "
            f"{value:.4f} on rows that it has seen, {judged.value:.4f} before"
        )
        return Verdict(decision="kept", reasons=[reason], evidence=evidence)
    return Verdict(decision="adopted", reasons=[], evidence=evidence)
