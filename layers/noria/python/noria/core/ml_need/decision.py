"""Is machine learning needed? Baselines, the contract's rule and a quick model, side by side."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from noria.common.messages import counted
from noria.common.verdict import Verdict
from noria.contracts import Problem
from noria.core.data.dataset import Dataset
from noria.core.ml_need.comparison import Compared, Scored, compare_answers, compare_out_of_fold
from noria.core.ml_need.outcomes import (
    GO_ON,
    REEVALUATE,
    RULE_SUFFICES,
    SERVE_RULE,
    Outcome,
    no_signal,
    rule_suffices,
    share_that_meets,
    signal,
    too_few_of_a_class,
    too_few_rows,
    trivial_suffices,
)
from noria.core.ml_need.quick_forms import Form, forms_of
from noria.core.rule_model.rule_model import why_not_served
from noria.core.statistics.confidence_intervals import ALIKE
from noria.core.training.folds import Folds, folds_of, label_gap, sample_rows
from noria.errors import DataError


def decide_need(dataset: Dataset, problem: Problem, seed: int) -> Verdict:
    """Decide `go_on`, `rule_suffices`, `serve_rule` or `reevaluate`, with the contract's metric.

    All is judged on the holdout, on up to `analysis.sample_rows` rows of it. In this order:
    the rule suffices where it meets the objective and is better than every trivial answer (it is
    served where `baseline.serve` asks for it and it can be); the problem is reevaluated where a
    trivial answer meets the objective, where no signal differs from chance, or
    where there are too few rows to judge the objective; else the machine goes on. A holdout of few
    rows (`evaluation.small_holdout`) does not say no: all rows are asked then, in folds.
    """
    generator = np.random.default_rng(seed)
    rows = problem.analysis.sample_rows
    training = _drawn(dataset.training, rows, generator)
    judged = _drawn(dataset.holdout_rows, rows, generator)
    too_little = _too_little(training, judged, problem) or too_few_of_a_class(dataset, problem)
    if too_little:
        return Verdict(decision=REEVALUATE, reasons=[too_little], evidence={})
    compare = partial(compare_answers, dataset, training, judged, problem, generator, seed)
    compared = _compared(compare, training, judged)
    decision, why = _decided(compared)
    if decision == REEVALUATE and dataset.holdout_size < problem.evaluation.small_holdout:
        compared, decision, why = _by_all_rows(dataset, compared, why, problem, generator, seed)
    folds, problem_of_folds = _folds(dataset, problem, seed)
    if decision == GO_ON and problem_of_folds:
        decision, why = REEVALUATE, [f"No candidate can be compared: {problem_of_folds}."]
    refusal = None
    if decision == RULE_SUFFICES and problem.baseline.serve:
        refusal = why_not_served(dataset, problem)
        decision = RULE_SUFFICES if refusal else SERVE_RULE
        why.insert(1, refusal or "It is served, as the contract asks (baseline.serve).")
    shown = [_sentence(item, problem) for item in compared.scored]
    told = [f"Cross-validation: {folds.note}."] if folds.note else []
    evidence = _evidence(compared) | {"training_rows": len(training), "not_served": refusal}
    evidence |= {"folds": len(folds.splits), "fold_note": folds.note or None}
    return Verdict(decision=decision, reasons=[*why, *shown, *told], evidence=evidence)


def _compared(
    compare: Callable[[Sequence[Form]], Compared], training: Dataset, judged: Dataset
) -> Compared:
    """Compare by the columns as they are; where that shows nothing, by forms of them too."""
    first = compare([])
    settled = rule_suffices(first) or trivial_suffices(first) or not no_signal(first)
    forms = [] if settled else forms_of(training, judged)
    return compare(forms) if forms else first


def _by_all_rows(
    dataset: Dataset,
    compared: Compared,
    why: list[str],
    problem: Problem,
    generator: np.random.Generator,
    seed: int,
) -> tuple[Compared, str, list[str]]:
    """Ask all rows, each answered by a quick model of folds without it; what they say counts.

    The rows go to folds as candidates' do: forward in time, by class, or at random.
    """
    rows = dataset.without_holdout
    sample = sample_rows(rows, problem.analysis.sample_rows, seed)
    try:
        splits = folds_of(sample, problem.exploration.folds, seed, label_gap(problem)).splits
        found = compare_out_of_fold(
            sample, splits, problem, generator, seed, with_forms=bool(compared.forms)
        )
    except DataError:  # a fold of one class, or of too few rows: the holdout's answer stands
        return compared, REEVALUATE, why
    decision, told = _decided(found)
    few = (
        f"The holdout has {counted(dataset.holdout_size, 'row')}, so that all rows judge: "
        f"{found.judged:,} were each answered by a quick model of {len(splits)} folds without it."
    )
    return found, decision, [*told, few]


def _folds(dataset: Dataset, problem: Problem, seed: int) -> tuple[Folds, str]:
    """The folds that candidates will be scored on, or none and why."""
    sample = sample_rows(dataset.training, problem.exploration.rows, seed)
    try:
        return folds_of(sample, problem.exploration.folds, seed, label_gap(problem)), ""
    except DataError as error:
        return Folds([]), str(error)


def _decided(compared: Compared) -> Outcome:
    for outcome in (rule_suffices, trivial_suffices, no_signal, too_few_rows):
        found = outcome(compared)
        if found is not None:
            return found
    return signal(compared)


def _evidence(compared: Compared) -> dict[str, Any]:
    rule = compared.rule
    return {
        "metric": compared.metric,
        "baseline": {"name": compared.baseline.name, "score": compared.baseline.score},
        "scores": [item.evidence() for item in compared.scored],
        "gain": compared.gain_over(compared.best_trivial).interval.listed(),
        "gain_over_rule": None if rule is None else compared.gain_over(rule).interval.listed(),
        "rule_meets_share": None if rule is None else share_that_meets(compared, rule),
        "permutation_p_value": compared.permutation.p_value,
        "permuted": compared.permutation.drawn,
        "time_blocks": compared.permutation.blocks,
        "bootstrap_block_rows": compared.block,
        "confidence": compared.problem.evaluation.confidence,
        "holdout_rows": compared.judged,
        "out_of_fold": compared.folds or None,
        "forms_tried": compared.forms or None,
    }


def _too_little(training: Dataset, judged: Dataset, problem: Problem) -> str | None:
    """Say why nothing can be decided, where one side lacks rows or classes."""
    for name, side in (("training", training), ("holdout", judged)):
        if not len(side):
            rows = len(training) + len(judged)
            return (
                f"All {rows:,} rows are alike in every feature, so that none can be held out: "
                "collect columns that tell rows apart."
            )
        if len(side) < 2:
            return f"The {name} rows are too few for a decision ({len(side)}): collect more."
        if len(np.unique(side.target)) < 2:
            only = side.classes[int(side.target[0])] if side.classes else f"{side.target[0]:g}"
            return (
                f"All {len(side):,} {name} rows have the target {only!r}, so that "
                f"{problem.objective.metric} is uninformative: collect rows of other outcomes, or "
                "change evaluation.holdout."
            )
    return None


def _drawn(dataset: Dataset, rows: int, generator: np.random.Generator) -> Dataset:
    if len(dataset) <= rows:
        return dataset
    return dataset.take(np.sort(generator.choice(len(dataset), rows, replace=False)))


def _sentence(item: Scored, problem: Problem) -> str:
    low, high = item.interval
    sure = f"{problem.evaluation.confidence:.0%} interval {low:.4g} to {high:.4g}"
    if high - low <= ALIKE:
        sure = "the same in every resample"
    said = f"{item.name[:1].upper()}{item.name[1:]}: {problem.objective.metric} {item.score:.4g}"
    return f"{said} ({sure})."
