"""The card's chapter on what a model is for, and what it is not for (Mitchell et al. 2019)."""

from collections.abc import Iterable, Sequence

from noria.common.formatting import date, duration, joined_with_and, metric, share
from noria.common.messages import comma_list, counted
from noria.common.metric_table import LOWER_IS_BETTER
from noria.contracts import Problem
from noria.core.evaluation.results import EvaluationResult
from noria.core.evaluation.slices import SliceResult
from noria.core.model.signature import Signature
from noria.core.reporting.blocks import Chapter, Pairs, Text, bullets, card, chapter
from noria.core.reporting.run_evidence import Document, RunEvidence

MOST_NAMES = 30  # fields in a sentence
MOST_VALUES = 8  # of a column that are too few to be judged


def intended_use(
    signature: Signature, evaluation: EvaluationResult, evidence: RunEvidence
) -> Chapter | None:
    """Say what is answered, when and by which rule, and for what no answer is meant."""
    problem = evidence.problem
    facts = [*_answers(signature, problem), *_requests(signature), *_serving(problem)]
    rows = [(name, [Text(told)]) for name, told in facts if told]
    return chapter(
        "Intended use",
        card("What it is for", Pairs(rows)),
        card("What it is not for", bullets(_not_for(signature, evaluation, evidence), MOST_NAMES)),
    )


def _answers(signature: Signature, problem: Problem) -> list[tuple[str, str]]:
    return [
        ("it answers", _answer(signature)),
        ("about", f"one {joined_with_and(problem.entity_key)}" if problem.entity_key else ""),
        ("as of", _moment(problem)),
        ("decides by", _decides(signature, problem)),
        ("the truth is known", _truth(problem)),
        ("good enough is", _good_enough(problem)),
    ]


def _requests(signature: Signature) -> list[tuple[str, str]]:
    """What a request gives, what is looked up for it, and what it may carry for nothing."""
    history = signature.history
    looked_up = ""
    if history is not None:
        keys = joined_with_and([one.name for one in history.keys])
        looked_up = f"{comma_list(history.names, MOST_NAMES)}: history of its {keys}"
    return [
        ("a request gives", comma_list([one.name for one in signature.asked], MOST_NAMES)),
        ("is looked up", looked_up),
        ("may be given, unread", comma_list(signature.ignored, MOST_NAMES)),
    ]


def _serving(problem: Problem) -> list[tuple[str, str]]:
    deployment = problem.deployment
    canary = deployment.canary
    who = "a person, asked by the run" if deployment.approval else "the run itself, by its verdicts"
    tried = ", all requests at once"
    if canary is not None:
        part = "copies" if deployment.shadow else share(canary.share)
        tried = f", first on {part} of the requests for {canary.minutes:g} minutes"
    callers = {"iam": "AWS credentials (IAM)", "jwt": "an identity provider's token (JWT)"}
    return [
        ("lets it serve", f"{who}{tried}"),
        ("who may ask", f"callers with {callers[deployment.auth]}"),
    ]


def _answer(signature: Signature) -> str:
    target, classes = signature.target, signature.classes
    if signature.task == "regression":
        interval = signature.interval
        held = (
            f", with an interval that holds {share(interval.coverage)} of such" if interval else ""
        )
        return f"the value of {target}{held}"
    if signature.task == "binary":
        return f"whether {target} is {classes[1]}, with its probability"
    return f"which of {len(classes)} {target} is, with their probabilities: {comma_list(classes)}"


def _moment(problem: Problem) -> str:
    if problem.event_time is None:
        return "the time of the request: the data have no event time"
    return f"{problem.event_time}: what is known only later is no input"


def _decides(signature: Signature, problem: Problem) -> str:
    if signature.task == "regression":
        return "nothing: a value is answered, and who asks decides"
    if signature.task == "multiclass":
        return "the class with the highest probability"
    positive, costs = signature.classes[1], problem.objective.costs
    told = f"{signature.target} is {positive} from probability {signature.threshold:.4g} on"
    if costs is None:
        return told
    missed, alarm = costs.false_negative, costs.false_positive
    return f"{told}, as a missed {positive} costs {missed:g} where a false alarm costs {alarm:g}"


def _truth(problem: Problem) -> str:
    delay = duration(problem.monitoring.label_delay.total_seconds())
    return f"{delay} after the answer; live quality is known as much later"


def _good_enough(problem: Problem) -> str:
    objective = problem.objective
    sign = "at most" if objective.metric in LOWER_IS_BETTER else "at least"
    told = f"{metric(objective.metric)} {sign} {objective.threshold:g}"
    if objective.minimum_gain:
        told += f", better than the best answer without ML by {objective.minimum_gain:g}"
    floors = [f"{sign} {one.floor:g} for each {one.column}" for one in objective.slices]
    return told + (f", and {joined_with_and(floors)}" if floors else "")


def _not_for(
    signature: Signature, evaluation: EvaluationResult, evidence: RunEvidence
) -> list[str]:
    return [
        *_unlike_training(signature, evidence.analysis),
        *_below_floor(evaluation),
        *_too_small(evaluation.slices),
        *_protected(signature, evaluation, evidence.problem),
        "Questions of cause. Importances and partial dependence say what the model heeds, not "
        "what would happen if somebody changed a field.",
    ]


def _unlike_training(signature: Signature, analysis: Document) -> list[str]:
    """Where answers are guesses: beyond what was seen of numbers, categories and times."""
    kinds = [one.kind for one in signature.columns]
    beyond = [
        *(["numbers outside their ranges"] if "number" in kinds else []),
        *(["categories not among those seen"] if "category" in kinds else []),
    ]
    found = [f"Requests unlike the training rows: {' and '.join(beyond)} (see Inputs)."]
    time = analysis.get("time")
    if time:
        found.append(
            f"Times far from those of the data, {date(time['start'])} to {date(time['end'])}: the "
            "later a request, the less the numbers of this card say about it."
        )
    return found if beyond else found[1:]


def _below_floor(evaluation: EvaluationResult) -> list[str]:
    return [
        f"{one.column} = {one.value}: {metric(evaluation.metric)} {one.score:.4g} on "
        f"{counted(one.rows, 'row')} misses the floor of {one.floor:g}."
        for one in evaluation.slices
        if one.met is False
    ]


def _too_small(slices: Iterable[SliceResult]) -> list[str]:
    """Name the groups that are too small to be judged, those with a floor first."""
    small: dict[str, list[SliceResult]] = {}
    for one in slices:
        if one.score is None:
            small.setdefault(one.column, []).append(one)
    ordered = sorted(small.items(), key=lambda item: (item[1][0].floor is None, item[0]))
    return [f"{column} = {_listed(found)}: too few rows to be judged." for column, found in ordered]


def _listed(found: Sequence[SliceResult]) -> str:
    told = [f"{one.value} ({one.rows:,})" for one in found]
    return comma_list(told, MOST_VALUES)


def _protected(signature: Signature, evaluation: EvaluationResult, problem: Problem) -> list[str]:
    """Say of each protected column whether the model reads it; numbers have no rates by group."""
    names = [one.column for one in problem.objective.slices if one.protected]
    where = "Fairness" if evaluation.fairness else "Slices"
    told = {
        True: "The model reads it: whether that is lawful is not for this card to say",
        False: "The model does not read it, but other fields may stand in for it",
    }
    return [
        f"Decisions by {name}, which is protected. {told[name in signature.names]} (see {where})."
        for name in names
    ]
