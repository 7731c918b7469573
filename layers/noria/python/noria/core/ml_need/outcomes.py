"""What comes of asking whether ML is needed: each outcome with its reasons, or None."""

import math

import numpy as np

from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.ml_need.comparison import Compared, Scored
from noria.core.statistics.autocorrelation import FEWEST_BLOCKS
from noria.core.statistics.permutation_tests import PermutationTest
from noria.core.statistics.resampled_scores import Bounds
from noria.core.statistics.sample_size import RowsNeeded, half_width_on, one_sided, rows_needed

GO_ON, RULE_SUFFICES, SERVE_RULE, REEVALUATE = "go_on", "rule_suffices", "serve_rule", "reevaluate"
Outcome = tuple[str, list[str]]
# Metrics that one answer for all rows cannot score well in.
DEMANDING = {"regression": ("r2",)}
DEMANDING_OF_CLASSES = ("balanced_accuracy", "roc_auc")


def too_few_of_a_class(dataset: Dataset, problem: Problem) -> str | None:
    """Say how many rows are needed, where the holdout has too few of all classes but one."""
    if not dataset.classes:
        return None
    least, size = problem.evaluation.class_rows, len(dataset.classes)
    counts = np.bincount(dataset.target, minlength=size)
    held = np.bincount(dataset.target[dataset.holdout], minlength=size)
    order = np.argsort(-held, kind="stable")
    second = int(order[1])
    if held[second] >= least:
        return None
    share = max(int(counts[second]), 1) / len(dataset) * problem.evaluation.holdout
    return (
        f"Too few rows of a class to judge any model: {int(counts[second]):,} of {len(dataset):,} "
        f"rows have {dataset.classes[second]!r}, {int(held[second])} of them in the holdout, which "
        f"needs {least} (evaluation.class_rows). What would help: about "
        f"{math.ceil(least / share):,} rows in all, at that share of the class, or a larger "
        "evaluation.holdout."
    )


def rule_suffices(compared: Compared) -> Outcome | None:
    """The rule meets threshold and floors, and is better than every trivial answer."""
    rule, problem = compared.rule, compared.problem
    if rule is None or not compared.meets(rule) or compared.floors_missed:
        return None
    if compared.beyond(rule.score, compared.best_trivial.score) <= 0:
        return None
    if compared.gain(rule, compared.best_trivial).interval.low <= 0:  # a lucky rule on few rows
        return None
    low, high = rule.interval
    return RULE_SUFFICES, [
        f"The rule {problem.baseline.rule!r} reaches {compared.metric} {rule.score:.4g} "
        f"({problem.evaluation.confidence:.0%} interval {low:.4g} to {high:.4g}) on "
        f"{compared.judged:,} {compared.rows}, which meets the threshold "
        f"{problem.objective.threshold:g}: a model is not needed.",
        _how_sure(compared, rule),
    ]


def _how_sure(compared: Compared, rule: Scored) -> str:
    """Say in how many resamples the rule meets the threshold, and what would make it surer."""
    share, resamples = share_that_meets(compared, rule), len(rule.resampled)
    said = f"Bootstrap: it meets the threshold in {share:.1%} of {resamples:,} resamples"
    threshold = compared.problem.objective.threshold
    margin = compared.beyond(rule.score, threshold)
    if not rule.interval.low <= threshold <= rule.interval.high or margin <= 0:
        return f"{said}."
    half = half_width_on(rule.interval.half_width, compared.judged, compared.holdout)
    needed = rows_needed(half, margin, compared.holdout, compared.total)
    return f"{said}; {_about(needed, compared)} would put the threshold outside its interval."


def share_that_meets(compared: Compared, item: Scored) -> float:
    """The share of resamples in which a way to answer meets the threshold."""
    found = item.resampled[np.isfinite(item.resampled)].tolist()
    threshold = compared.problem.objective.threshold
    return sum(compared.beyond(one, threshold) >= 0 for one in found) / max(len(found), 1)


def trivial_suffices(compared: Compared) -> Outcome | None:
    """A constant answer meets the objective, which so asks for no model."""
    objective, trivial = compared.problem.objective, compared.best_trivial
    if not compared.meets(trivial) or objective.minimum_gain > 0 or objective.slices:
        return None
    demanding = DEMANDING.get(compared.problem.task, DEMANDING_OF_CLASSES)
    others = " or ".join(name for name in demanding if name != compared.metric)
    return REEVALUATE, [
        f"A constant prediction already meets the objective: {trivial.name}, the same for "
        f"every row, reaches {compared.metric} {trivial.score:.4g}, and the threshold is "
        f"{objective.threshold:g}.",
        f"What would help: an objective.threshold better than {trivial.score:.4g}, an "
        "objective.minimum_gain over what needs no ML"
        + (f", or another metric, such as {others}." if others else "."),
    ]


def no_signal(compared: Compared) -> Outcome | None:
    """The quick model's predictions are no better than permuted ones."""
    gain, problem = compared.gain_over(compared.best_trivial), compared.problem
    # Looked for twice, so that each time half the chance is allowed (Bonferroni).
    chance = problem.analysis.chance / compared.attempts
    confidence = 1 - (1 - problem.evaluation.confidence) / compared.attempts
    if has_signal(gain.interval, compared.permutation.p_value, chance, confidence):
        return None
    # Related to the target, and yet further from it than a constant: what held does no longer.
    worse = compared.permutation.p_value < chance
    verdict = "No better than a constant answer" if worse else "No better than chance"
    said = (
        f"{verdict}: the quick model's gain over "
        f"{compared.best_trivial.name} is {_between(gain.interval)} {compared.metric} "
        f"({compared.permutation.sentence})."
    )
    return REEVALUATE, [
        said,
        _what_would_help(compared, gain.interval),
        *_slow_drift_note(compared.permutation),
        *_tried(compared),
    ]


def _tried(compared: Compared) -> list[str]:
    """Say which forms of the columns the quick model saw in vain."""
    if not compared.forms:
        return []
    windows = [one.as_ for one in compared.problem.features.windows]
    history = f", with the history {', '.join(windows)}" if windows else ""
    return [f"Tried beside the columns as they are{history}: {compared.forms}."]


def _slow_drift_note(test: PermutationTest) -> list[str]:
    """Say what time blocks cannot show, where longer ones are possible."""
    if test.drawn != "signs of time blocks" or test.blocks <= FEWEST_BLOCKS:
        return []
    return [
        f"Effects slower than one of the {test.blocks} time blocks do not count, "
        "as they cannot be distinguished from a random walk: fewer analysis.stretches are longer."
    ]


def has_signal(gain: Bounds, p_value: float, chance: float, confidence: float) -> bool:
    """Test the quick model against chance; a gain alone is not enough, for noise gains F1 too.

    There is signal where the p value of `permutation_test` is below `chance`, or below
    1 - `confidence` where the paired bootstrap interval of the gain lies above zero too.
    """
    if gain.high < 0:  # surely worse than no model, whatever it has learnt
        return False
    return p_value < chance or (gain.low > 0 and p_value < 1 - confidence)


def _what_would_help(compared: Compared, gain: Bounds) -> str:
    """Say how many rows would make the gain that the objective asks for significant."""
    objective, start = compared.problem.objective, "What would help: columns or sources that bear"
    asked = compared.beyond(objective.threshold, compared.best_trivial.score)
    wanted = max(asked, objective.minimum_gain)
    if wanted <= 0 or not np.isfinite(gain).all():
        return f"{start} on the target."
    half = half_width_on(gain.half_width, compared.judged, compared.holdout)
    needed = rows_needed(half, wanted, compared.holdout, compared.total)
    if needed.holdout <= compared.holdout:
        return (
            f"{start} on the target; the {compared.holdout:,} {compared.rows} would already show a "
            f"gain of {wanted:.3g}, so more of the same rows will not help."
        )
    return (
        f"{start} on the target; {_about(needed, compared)} would make the gain of {wanted:.3g} "
        "that the objective asks for significant."
    )


def too_few_rows(compared: Compared) -> Outcome | None:
    """Too few rows to tell a model exactly at the threshold from a trivial answer.

    That is so where the quick model's interval holds the threshold, and its one-sided half is
    wider than the distance between the threshold and the best trivial answer.
    """
    objective, quick, trivial = compared.problem.objective, compared.quick, compared.best_trivial
    distance = compared.beyond(objective.threshold, trivial.score)
    low, high = quick.interval
    if distance <= 0 or not low <= objective.threshold <= high or not np.isfinite(high - low):
        return None
    width = one_sided(quick.interval.half_width, compared.problem.evaluation.confidence)
    half = half_width_on(width, compared.judged, compared.holdout)
    if half <= distance:
        return None
    needed = rows_needed(half, distance, compared.holdout, compared.total)
    return REEVALUATE, [
        f"Too little data to decide on the objective: on {compared.holdout:,} {compared.rows} the "
        f"quick model's {compared.metric} {quick.score:.4g} is known to ±{half:.2g} only, so a "
        f"model exactly at the threshold {objective.threshold:g} could not be distinguished from "
        f"{trivial.name} ({trivial.score:.4g}).",
        f"What would help: {_about(needed, compared)}, or an objective farther from what needs "
        "no ML.",
    ]


def _about(needed: RowsNeeded, compared: Compared) -> str:
    if compared.folds:
        return f"about {needed.total:,} rows (there are {compared.total:,})"
    return (
        f"about {needed.holdout:,} holdout rows ({needed.total:,} in all; there are "
        f"{compared.holdout:,} and {compared.total:,})"
    )


def signal(compared: Compared) -> Outcome:
    """There is something to learn: say how much, over the best trivial answer and the rule."""
    quick, trivial = compared.quick, compared.best_trivial
    gain = compared.gain_over(trivial)
    said = [
        f"There is signal: the quick model reaches {compared.metric} {quick.score:.4g} against "
        f"{trivial.score:.4g} for {trivial.name}, a gain of {gain.value:+.3g} "
        f"({_between(gain.interval)}); {compared.permutation.sentence}."
    ]
    if compared.rule is not None:
        said.append(_over_the_rule(compared, compared.rule))
    return GO_ON, said


def _over_the_rule(compared: Compared, rule: Scored) -> str:
    gain = compared.gain_over(rule)
    sure = "" if gain.interval.low > 0 else ": not a significant gain over the rule"
    return (
        f"The rule {compared.problem.baseline.rule!r} reaches {rule.score:.4g}; over it the quick "
        f"model has a gain of {gain.value:+.3g} ({_between(gain.interval)}){sure}"
        f"{_why_the_rule_does_not_suffice(compared, rule)}."
    )


def _why_the_rule_does_not_suffice(compared: Compared, rule: Scored) -> str:
    """Say what a rule lacks that meets the threshold; nothing of one that misses it."""
    if not compared.meets(rule):
        return ""
    if compared.floors_missed:
        missed = ", ".join(compared.floors_missed)
        return f"; the rule meets the threshold but misses floors: {missed}"
    trivial = compared.best_trivial.name
    return f"; the rule meets the threshold, but its gain over {trivial} is not significant"


def _between(interval: Bounds) -> str:
    return f"{interval.low:+.3g} to {interval.high:+.3g}"
