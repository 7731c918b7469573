"""Decisions on a challenger: whether it meets the objective, and whether it beats the champion."""

from noria.common.messages import counted
from noria.common.verdict import Verdict
from noria.core.evaluation.results import EvaluationResult
from noria.core.statistics import metrics


def meets_objective(evaluation: EvaluationResult) -> Verdict:
    """Decide "met", "undecided" or "missed".

    By threshold, slice floors, the gain over the baselines, and the analysis's quick model, which
    must not be surely better; undecided where the value meets the
    threshold and its bound does not, so that the holdout's rows do not tell. A challenger that
    surely beats the champion on the same rows needs no bound: keeping the champion would be worse.
    """
    misses = [*_missed_threshold(evaluation), *_missed_gain(evaluation)]
    misses += _behind_the_quick_model(evaluation)
    misses += [
        f"{one.column} = {one.value}: {evaluation.metric} {one.score:.4f} "
        f"misses its floor {one.floor:g} on {counted(one.rows, 'row')}"
        for one in evaluation.slices
        if one.met is False
    ]
    evidence = evaluation.model_dump(mode="json", exclude={"comparison"})
    if misses:
        return Verdict(
            decision="missed", reasons=[*misses, *evaluation.weaknesses], evidence=evidence
        )
    unsure = _unsure(evaluation)
    if unsure and not _surely_better(evaluation):
        reasons = [unsure, *evaluation.weaknesses]
        return Verdict(decision="undecided", reasons=reasons, evidence=evidence)
    reasons = [_met(evaluation), *_gain_reason(evaluation), *_apart(evaluation)]
    if unsure:
        reasons.append("its own rows do not surely tell the threshold, but it beats the champion")
    return Verdict(decision="met", reasons=reasons, evidence=evidence)


def _apart(evaluation: EvaluationResult) -> list[str]:
    """The rates in which protected groups surely differ."""
    return [f"surely unequal: {one.sentence}" for one in evaluation.fairness if one.low > 0]


def _surely_better(evaluation: EvaluationResult) -> bool:
    """Whether there is a champion to compare with, and the challenger beats it."""
    compared = evaluation.comparison
    return bool(compared and compared.gain and beats_champion(evaluation).decision == "wins")


def _unsure(evaluation: EvaluationResult) -> str:
    """Say how little is known of a value that meets the threshold, and what would tell more."""
    bound, threshold = evaluation.bound, evaluation.threshold
    if bound is not None and metrics.meets(evaluation.metric, bound, threshold):
        return ""
    rows = _rows(evaluation)
    said = f"{evaluation.metric} {evaluation.value:.4f} meets the threshold {threshold:g}, but"
    if bound is None:
        return f"{said} {rows} do not tell how sure that is: collect more rows of every class"
    side = "at least" if metrics.is_better_higher(evaluation.metric) else "at most"
    known = f"{rows} tell with {evaluation.bound_confidence or 0:.0%} confidence only that it is"
    if evaluation.needed is None:
        return f"{said} {known} {side} {bound:.4f}: lower the threshold, or collect more rows"
    needed = evaluation.needed
    more = f"{needed.holdout:,} holdout rows ({needed.total:,} in all)"
    if evaluation.out_of_fold:
        more = f"{needed.total:,} rows"
    return f"{said} {known} {side} {bound:.4f}: about {more} would tell"


def _rows(evaluation: EvaluationResult) -> str:
    """The rows that judged, and how many of them were no holdout."""
    rows = counted(evaluation.rows, "row")
    if not evaluation.out_of_fold:
        return rows
    return f"{rows} ({evaluation.out_of_fold:,} out of fold, as the holdout is small)"


def _met(evaluation: EvaluationResult) -> str:
    """Say that the threshold is met, and how sure the score is."""
    low, high = evaluation.interval.low, evaluation.interval.high
    score = f"{evaluation.metric} {evaluation.value:.4f}"
    rows = _rows(evaluation)
    if low is None or high is None:
        known = ""
        if evaluation.bound is not None and evaluation.bound != evaluation.value:
            known = f"; by the rows of each class it is at least {evaluation.bound:.4f}"
        return (
            f"{score} on {rows} meets the threshold {evaluation.threshold:g}; no confidence "
            f"interval, as every resample of these rows scores the same{known}"
        )
    return f"{score} [{low:.4f}, {high:.4f}] on {rows} meets the threshold {evaluation.threshold:g}"


def _missed_threshold(evaluation: EvaluationResult) -> list[str]:
    if metrics.meets(evaluation.metric, evaluation.value, evaluation.threshold):
        return []
    gap = abs(evaluation.value - evaluation.threshold)
    return [
        f"{evaluation.metric} {evaluation.value:.4f} misses the threshold "
        f"{evaluation.threshold:g} by {gap:.4f}"
    ]


def _missed_gain(evaluation: EvaluationResult) -> list[str]:
    gained = evaluation.gain_over_baseline
    if gained is None or evaluation.best_baseline is None:
        return []
    if gained > 0 and gained >= evaluation.minimum_gain:
        return []
    return [
        f"the gain over the {evaluation.best_baseline} baseline is {gained:.4f}, below the "
        f"minimum gain {evaluation.minimum_gain:g}"
    ]


def _behind_the_quick_model(evaluation: EvaluationResult) -> list[str]:
    """A model that is surely worse than what the analysis fitted in seconds is not promoted."""
    quick = evaluation.quick_model
    if quick is None or quick.lead <= 0:
        return []
    return [
        f"the quick model of the analysis is surely better on the same rows: {evaluation.metric} "
        f"{quick.value:.4f}, with {quick.confidence:.0%} confidence at least {quick.lead:.4f} more"
    ]


def _gain_reason(evaluation: EvaluationResult) -> list[str]:
    if evaluation.gain_over_baseline is None or evaluation.best_baseline is None:
        return []
    value = evaluation.baselines[evaluation.best_baseline]
    return [
        f"{evaluation.gain_over_baseline:.4f} better than the {evaluation.best_baseline} "
        f"baseline ({value:.4f})"
    ]


def beats_champion(evaluation: EvaluationResult) -> Verdict:
    """Decide "wins" or "loses".

    A challenger wins when the one-sided lower bound of its paired gain
    (`evaluation.champion_confidence`) is above zero; without a scorable champion it wins. A bound
    of zero is what resamples give that miss the one or two rows on which models differ.
    """
    compared = evaluation.comparison
    if compared is None:
        return Verdict(decision="wins", reasons=["there was no champion to beat"])
    evidence = compared.model_dump(mode="json")
    if compared.gain is None or compared.lower_bound is None:
        return Verdict(decision="wins", reasons=[compared.reason], evidence=evidence)
    wins = compared.gain > 0 and compared.lower_bound > 0
    reason = (
        f"{compared.reason}; the challenger's gain is {compared.gain:+.4f}, with "
        f"{compared.confidence:.0%} confidence at least {compared.lower_bound:+.4f}"
    )
    return Verdict(decision="wins" if wins else "loses", reasons=[reason], evidence=evidence)
