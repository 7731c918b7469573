"""The card's chapter on where a model may fail, and what is done to notice it."""

from collections.abc import Iterable, Sequence

from noria.common.formatting import duration, joined_with_and, metric, number, share
from noria.common.messages import comma_list, counted
from noria.contracts import Problem
from noria.core.evaluation.results import EvaluationResult
from noria.core.model.robustness import FieldRobustness
from noria.core.model.signature import Signature
from noria.core.reporting.blocks import Chapter, bullets, card, chapter
from noria.core.reporting.run_evidence import RunEvidence
from noria.core.statistics import metrics

MOST_HARMFUL = 3
SHOWN = 12  # names in a sentence
SURELY = 1.645  # standard errors: 95 %, one-sided


def limits(
    signature: Signature, evaluation: EvaluationResult, evidence: RunEvidence
) -> Chapter | None:
    """How sure the numbers are, where the model is weak, which columns it has, what is watched."""
    return chapter(
        "Limits",
        card("How sure the numbers are", bullets(_certainty(signature, evaluation, evidence))),
        card("Where it is weak", bullets(_weak(signature, evaluation, evidence.problem))),
        card("Columns kept out and let in", bullets(_unseen(signature, evidence))),
        card("What is watched in use", bullets(_watched(evidence.problem))),
    )


def _certainty(
    signature: Signature, evaluation: EvaluationResult, evidence: RunEvidence
) -> list[str]:
    return [
        *_margin(evaluation, evidence.problem),
        *_few_rows(evaluation),
        *_coverage(signature, evaluation),
        *([f"Probabilities are not corrected: {signature.calibration_note}."]
          if signature.calibration_note else []),
        *_held_out(evidence),
        *_final_fit(evaluation, evidence.problem),
    ]  # fmt: skip


def _margin(evaluation: EvaluationResult, problem: Problem) -> list[str]:
    """How far the value's sure side is from the objective, and whether that is near."""
    bound, value, wanted = evaluation.bound, evaluation.value, evaluation.threshold
    if bound is None or evaluation.bound_confidence is None:
        return []
    measure = problem.objective.measure
    margin, doubt = metrics.gain(measure, bound, wanted), abs(value - bound)
    name = metric(evaluation.metric)
    told = f"{name} is {number(bound, 4)} or better with "
    told += f"{share(evaluation.bound_confidence)} confidence"
    if margin < 0:
        return [f"{told}, which is short of the threshold of {wanted:g}."]
    near = ", and near it: new rows may tell otherwise" if margin < doubt else ""
    return [f"{told}, within the threshold of {wanted:g} by {number(margin)}{near}."]


def _few_rows(evaluation: EvaluationResult) -> list[str]:
    found = []
    if evaluation.out_of_fold:
        found.append(
            f"The holdout is small, so {counted(evaluation.rows, 'row')} judged it, "
            f"{evaluation.out_of_fold:,} of them by models of folds without them."
        )
    if evaluation.needed is not None:
        found.append(
            f"Rows are too few: about {evaluation.needed.holdout:,} judging rows "
            f"({evaluation.needed.total:,} in all) would tell whether the objective is met."
        )
    return found


def _coverage(signature: Signature, evaluation: EvaluationResult) -> list[str]:
    """Whether intervals hold what they promise on the holdout, beyond chance (binomial)."""
    interval, held = signature.interval, evaluation.coverage
    if interval is None or held is None:
        return []
    rows = max(1, evaluation.rows - evaluation.out_of_fold)
    error = (interval.coverage * (1 - interval.coverage) / rows) ** 0.5
    told = f"Intervals promise {share(interval.coverage)} and hold {share(held)} of the holdout"
    if held < interval.coverage - SURELY * error:
        return [f"{told}: too few, more than chance explains. Take them as too narrow."]
    return [f"{told}: what they promise, but for chance."]


def _held_out(evidence: RunEvidence) -> list[str]:
    judged = counted(evidence.judged_models, "model")
    found = [
        f"The holdout was looked at by the analysis, and to judge {judged} in this run. Each look "
        "makes its numbers a little too good (Dwork et al. 2015)."
    ]
    if evidence.problem.event_time is None:
        found.append(
            "Rows were held out at random, as there is no event time: how much a change over time "
            "costs is not measured."
        )
    drifted = [str(name) for name in evidence.analysis.get("drifted") or []]
    if drifted:
        verb = "differs" if len(drifted) == 1 else "differ"
        found.append(
            f"{joined_with_and(drifted)} {verb} between the first and the last third of the time: "
            "later rows may differ more."
        )
    return found


def _final_fit(evaluation: EvaluationResult, problem: Problem) -> list[str]:
    small = evaluation.out_of_fold > 0 and problem.training.final_fit == "auto"
    if not problem.fits_all_rows and not small:
        return []
    return [
        "Where the model is accepted, what serves is fitted once more with the holdout; the "
        "numbers are those of the model before that."
    ]


def _weak(signature: Signature, evaluation: EvaluationResult, problem: Problem) -> list[str]:
    told = [f"{one}." for one in evaluation.weaknesses]
    return [*told, *_harmful(signature, problem.features.little_use)] or [
        "No group of rows is surely worse than the others, among those that are large enough."
    ]


def _harmful(signature: Signature, little: float) -> list[str]:
    """Name the fields whose absence, unit or new values cost most; not what costs `little` of it.

    `little` is a share of the largest loss.
    """
    told = {
        "missing": "Without the field it loses most for",
        "unit": "In another unit (1,000 times) it loses most for",
        "unseen": "With a category never seen it loses most for",
    }
    losses = {how: _losses(signature.robustness, how) for how in told}
    least = little * max((loss for found in losses.values() for _, loss in found), default=0.0)
    found = []
    for how, words in told.items():
        worst = [f"{name} ({number(loss)})" for name, loss in losses[how] if loss > least]
        if worst:
            named = joined_with_and(worst[:MOST_HARMFUL])
            found.append(f"{words} {named}, in {metric(signature.metric)}.")
    return found


def _losses(found: Iterable[FieldRobustness], how: str) -> list[tuple[str, float]]:
    """Fields with their losses, the largest first."""
    losses = [(one.field, getattr(one, how)) for one in found]
    known = [(name, float(loss)) for name, loss in losses if loss is not None]
    return sorted(known, key=lambda one: (-one[1], one[0]))


def _unseen(signature: Signature, evidence: RunEvidence) -> list[str]:
    """Columns that the model was kept from or does without, and those that were let in."""
    problem, clean = evidence.problem, evidence.of("Transform")
    suspects = [str(name) for name in evidence.of("Analyse").get("suspects") or []]
    leaks = {
        "exclude": "left out as they give the target away (analysis.on_leak)",
        "allow": "read although they give the target away (analysis.on_leak: allow)",
    }
    known = [name for name in problem.features.known if name in signature.names]
    told = [
        (problem.features.exclude, "left out by the contract (features.exclude)"),
        ([*(clean.get("dropped_columns") or {})], "dropped, as empty, constant or mostly missing"),
        ([*(clean.get("left_out") or {})], "no feature, as nearly every row has its own value"),
        (suspects, leaks.get(problem.analysis.on_leak, "")),
        (signature.unused, "not read: the model is as good without"),
        (known, "read as known in time, by the contract's word alone (features.known)"),
    ]
    return [f"{_names(names)}: {why}." for names, why in told if names and why]


def _watched(problem: Problem) -> list[str]:
    watch = problem.monitoring
    floor = watch.quality_floor
    name = metric(problem.objective.metric)
    often = duration(watch.every.total_seconds()).removeprefix("1 ")
    return [
        f"Every {often}: drift of inputs and answers, from a "
        f"population stability index of {watch.drift:g} on, with {watch.minimum_predictions:,} "
        "answers or more.",
        f"{name} of answers whose truth is known"
        + (f", with an alarm beyond {floor:g}." if floor is not None else ", without a floor."),
        "Slices and protected groups are judged at training only: requests need not carry their "
        "columns.",
        f"Trained again on {joined_with_and(list(problem.retraining.on))}; the model is too old "
        f"after {duration(problem.retraining.maximum_age.total_seconds())}."
        if problem.retraining.on else "Nothing starts a training run by itself.",
    ]  # fmt: skip


def _names(names: Sequence[str]) -> str:
    return comma_list(names, SHOWN)
