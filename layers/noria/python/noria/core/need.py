"""Is machine learning needed? Baselines, the contract's rule and a quick model, side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from noria.contracts import Problem
from noria.core import metrics
from noria.core.dataset import MISSING_TIMESTAMP, Dataset
from noria.core.resampling import Interval, gain_interval, permutation_p_value, resampled_scores
from noria.core.verdicts import Verdict

Array = NDArray[Any]
QUICK_ROWS = 20_000
QUICK_ITERATIONS = 100
MAXIMUM_CODES = 200  # categories beyond the most frequent share one code
RESAMPLES = 200
PERMUTATIONS = 500
CHANCE = 0.01  # p value of the permutation test below which there is signal
RECENT_SHARE = 0.1


@dataclass(frozen=True)
class Scored:
    """A way to answer, with its score and interval on the holdout, and its resampled scores."""

    name: str
    prediction: Array
    score: float
    interval: Interval
    resampled: Array

    def evidence(self) -> dict[str, Any]:
        """The numbers without the arrays."""
        return {"name": self.name, "score": self.score, "interval": self.interval.listed()}


def decide_need(dataset: Dataset, problem: Problem, seed: int) -> Verdict:
    """Decide `go_on`, `rule_suffices` or `reevaluate` on the holdout, with the contract's metric.

    The rule suffices where it meets `objective.threshold`. There is signal where a permutation
    test tells the quick model's answers from chance (p below 0.01), or less clearly so (p below
    1 - confidence) while its gain over the best trivial answer is above zero in a paired bootstrap.
    """
    generator = np.random.default_rng(seed)
    training, judged = _drawn(dataset.training, generator), _drawn(dataset.holdout_rows, generator)
    too_little = _too_little(training, judged, problem)
    if too_little:
        return Verdict(decision="reevaluate", reasons=[too_little], evidence={})
    counts = generator.multinomial(len(judged), np.full(len(judged), 1 / len(judged)), RESAMPLES)
    quick_answers = quick_model(training, judged, seed)
    answers = {
        **trivial_answers(training, judged, problem.objective.metric),
        **_rule_answer(judged),
        "quick model": quick_answers,
    }
    scored = {
        name: _scored(name, answer, judged, problem, counts) for name, answer in answers.items()
    }
    quick, rule = scored.pop("quick model"), scored.get("rule")
    trivial = [item for name, item in scored.items() if name != "rule"]
    best_trivial = _best(trivial, problem)
    baseline = _best(list(scored.values()), problem)
    gain = gain_interval(
        problem.objective.metric,
        quick.resampled,
        best_trivial.resampled,
        problem.evaluation.confidence,
    )
    p_value = permutation_p_value(judged.target, quick.prediction, PERMUTATIONS, generator)
    evidence = {
        "metric": problem.objective.metric,
        "baseline": {"name": baseline.name, "score": baseline.score},
        "scores": [item.evidence() for item in (*scored.values(), quick)],
        "gain": gain.listed(),
        "permutation_p_value": p_value,
        "confidence": problem.evaluation.confidence,
        "training_rows": len(training),
        "holdout_rows": len(judged),
    }
    shown = [_sentence(item, problem) for item in (*scored.values(), quick)]
    decision, why = _decided(problem, rule, quick, best_trivial, gain, p_value, len(judged))
    return Verdict(decision=decision, reasons=[*why, *shown], evidence=evidence)


def _decided(
    problem: Problem,
    rule: Scored | None,
    quick: Scored,
    trivial: Scored,
    gain: Interval,
    p_value: float,
    rows: int,
) -> tuple[str, list[str]]:
    metric, threshold = problem.objective.metric, problem.objective.threshold
    if rule is not None and metrics.meets(metric, rule.score, threshold):
        return "rule_suffices", [
            f"The rule {problem.baseline.rule!r} reaches {metric} {rule.score:.4g}, which meets "
            f"the threshold {threshold:g}: a model is not needed."
        ]
    if not has_signal(gain, p_value, problem.evaluation.confidence):
        return "reevaluate", [
            f"No signal that can be told from chance: the quick model's gain over "
            f"{trivial.name} is {gain.low:+.3g} to {gain.high:+.3g} {metric}, and shuffled "
            f"targets do as well in {p_value:.0%} of the permutations.",
            _what_would_help(problem, gain, rows),
        ]
    return "go_on", [
        f"There is signal: the quick model reaches {metric} {quick.score:.4g} against "
        f"{trivial.score:.4g} for {trivial.name} (gain {gain.low:+.3g} to {gain.high:+.3g}, "
        f"permutation p {p_value:.2g})."
    ]


def has_signal(gain: Interval, p_value: float, confidence: float) -> bool:
    """Tell the quick model from chance; a gain alone is not enough, for noise gains F1 too."""
    return p_value < CHANCE or (gain.low > 0 and p_value < 1 - confidence)


def _what_would_help(problem: Problem, gain: Interval, rows: int) -> str:
    """Say how many rows would tell a gain of `minimum_gain` from zero, by the root-n law."""
    wanted = problem.objective.minimum_gain or 0.02
    needed = int(np.ceil(rows * (max(gain.high - gain.low, 1e-9) / 2 / wanted) ** 2))
    more = (
        f"about {needed:,} holdout rows would tell a gain of {wanted:g} from none "
        f"(there are {rows:,})"
        if needed > rows
        else f"the {rows:,} holdout rows would already show a gain of {wanted:g}, "
        "so more of the same rows will not help"
    )
    return f"What would help: columns or sources that bear on the target; {more}."


def _too_little(training: Dataset, judged: Dataset, problem: Problem) -> str | None:
    """Say why nothing can be told, where one side lacks rows or classes."""
    for name, side in (("training", training), ("holdout", judged)):
        if len(side) < 2:
            return f"The {name} rows are too few to tell anything ({len(side)}): collect more."
        if len(np.unique(side.target)) < 2:
            only = side.classes[int(side.target[0])] if side.classes else f"{side.target[0]:g}"
            return (
                f"All {len(side):,} {name} rows have the target {only!r}, so that "
                f"{problem.objective.metric} tells nothing: collect rows of other outcomes, or "
                "change evaluation.holdout."
            )
    return None


def _drawn(dataset: Dataset, generator: np.random.Generator) -> Dataset:
    if len(dataset) <= QUICK_ROWS:
        return dataset
    return dataset.take(np.sort(generator.choice(len(dataset), QUICK_ROWS, replace=False)))


def trivial_answers(training: Dataset, judged: Dataset, metric: str) -> dict[str, Array]:
    """Answer without looking at the row: class shares or mean, and those of the latest rows."""
    rows = len(judged)
    target = training.target
    if training.classes:
        answers = {"class shares": _shares(target, training.classes, rows)}
        if metric == "f1" and len(training.classes) == 2:
            answers[f"always {training.classes[1]}"] = np.ones(rows)
    else:
        answers = {
            "mean": np.full(rows, target.mean()),
            "median": np.full(rows, np.median(target)),
        }
    if training.event_time is not None:
        latest = np.argsort(training.event_time, kind="stable")[
            -max(int(len(training) * RECENT_SHARE), 1) :
        ]
        recent = target[latest]
        answers["recent shares" if training.classes else "recent mean"] = (
            _shares(recent, training.classes, rows)
            if training.classes
            else np.full(rows, recent.mean())
        )
    return answers


def _shares(target: Array, classes: tuple[str, ...], rows: int) -> Array:
    """Give every row the observed share of each class, smoothed by half a row."""
    counts = np.bincount(target, minlength=len(classes)) + 0.5
    shares = counts / counts.sum()
    return np.full(rows, shares[1]) if len(classes) == 2 else np.tile(shares, (rows, 1))


def _rule_answer(judged: Dataset) -> dict[str, Array]:
    if judged.rule is None:
        return {}
    if len(judged.classes) <= 2:
        return {"rule": judged.rule}
    chosen = judged.rule.astype(np.int64)[:, None] == np.arange(len(judged.classes))
    return {"rule": chosen.astype(np.float64)}


def quick_model(training: Dataset, judged: Dataset, seed: int) -> Array:
    """Fit a small gradient boosting on ordinal codes and answer for the judged rows."""
    X, unseen = coded_features(training, judged)
    settings: dict[str, Any] = {
        "max_iter": QUICK_ITERATIONS,
        "learning_rate": 0.06,
        "max_leaf_nodes": 15,
        "min_samples_leaf": max(2, min(20, len(training) // 20)),
        "early_stopping": False,
        "random_state": seed,
    }
    if not training.classes:
        regressor = HistGradientBoostingRegressor(**settings).fit(X, training.target)
        return np.asarray(regressor.predict(unseen), dtype=np.float64)
    classifier = HistGradientBoostingClassifier(**settings).fit(X, training.target)
    known = classifier.predict_proba(unseen)
    table = np.zeros((len(judged), len(training.classes)))
    table[:, classifier.classes_] = known
    return table[:, 1] if len(training.classes) == 2 else table


def coded_features(training: Dataset, judged: Dataset) -> tuple[Array, Array]:
    """Turn both sides into float tables; categories become ranks by training frequency."""
    left: list[Array] = []
    right: list[Array] = []
    for column in training.columns:
        a, b = training.data[column.name], judged.data[column.name]
        for side, values in ((left, a), (right, b)):
            side.append(_coded(values, a, column.kind))
    return np.column_stack(left), np.column_stack(right)


def _coded(values: Array, seen: Array, kind: str) -> Array:
    if kind == "number":
        return values.astype(np.float64)
    if kind == "timestamp":
        return _time_of_day(values)
    names, counts = np.unique(seen, return_counts=True)
    rank = np.empty(len(names))
    rank[np.argsort(-counts, kind="stable")] = np.arange(len(names))
    place = np.minimum(np.searchsorted(names, values), len(names) - 1)
    codes = np.where(names[place] == values, np.minimum(rank[place], MAXIMUM_CODES), np.nan)
    return np.where(values == "", np.nan, codes)


def _time_of_day(values: Array) -> Array:
    """Take the hour of the week: absolute time cannot repeat in a later holdout."""
    hours = (values // 3600 + 72) % 168  # 1970-01-01 was a Thursday
    return np.where(values == MISSING_TIMESTAMP, np.nan, hours.astype(np.float64))


def _scored(
    name: str, prediction: Array, judged: Dataset, problem: Problem, counts: Array
) -> Scored:
    metric = problem.objective.metric
    resampled = resampled_scores(metric, judged.target, prediction, counts)
    return Scored(
        name=name,
        prediction=prediction,
        score=metrics.score(metric, judged.target, prediction),
        interval=Interval.of(resampled, problem.evaluation.confidence),
        resampled=resampled,
    )


def _best(items: list[Scored], problem: Problem) -> Scored:
    best = items[0]
    for item in items[1:]:
        if metrics.improves(problem.objective.metric, item.score, best.score):
            best = item
    return best


def _sentence(item: Scored, problem: Problem) -> str:
    low, high = item.interval
    return (
        f"{item.name[:1].upper()}{item.name[1:]}: {problem.objective.metric} {item.score:.4g} "
        f"({problem.evaluation.confidence:.0%} interval {low:.4g} to {high:.4g})."
    )
