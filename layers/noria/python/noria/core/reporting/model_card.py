"""A model card as one self-contained HTML page, after Mitchell et al., "Model Cards" (2019)."""

from collections.abc import Iterable, Mapping, Sequence

from markupsafe import Markup

from noria.common.formatting import shortened
from noria.common.messages import counted
from noria.core.evaluation.fairness import RateGap
from noria.core.evaluation.results import EvaluationResult
from noria.core.model.calibration import Calibration
from noria.core.model.decision import Decision
from noria.core.model.partial_dependence import PartialDependence
from noria.core.model.prediction_interval import PredictionInterval
from noria.core.model.signature import Field, Signature
from noria.core.reporting import charts
from noria.core.reporting.blocks import (
    Block,
    Chapter,
    Pairs,
    TableBlock,
    Text,
    bullets,
    card,
    chapter,
    remark,
)
from noria.core.reporting.evaluation_section import fold_notes
from noria.core.reporting.templates import render
from noria.core.statistics.confidence_intervals import Interval

MOST_IMPORTANT = 15
LONGEST, LONGEST_ERROR = 60, 200  # letters of a category and of an error that are shown


def render_model_card(
    signature: Signature,
    evaluation: EvaluationResult,
    experiments: Sequence[Mapping[str, object]] = (),
    version: str = "",
    decisions: Sequence[str] = (),
    run_id: str = "",
) -> str:
    """Render what the model is for, how good it is and where, what it takes, how it was made.

    `run_id` is of the run that trained it; `experiments` are dumped `Experiment` models.
    """
    chapters = [
        _chapter("Decision", bullets(decisions)),
        _chapter("Performance on the holdout", *_performance(evaluation)),
        _chapter("Calibration", *_calibration(signature.calibration)),
        _chapter("Decision threshold", *_threshold(signature.decision)),
        _chapter("Prediction interval", *_interval(signature.interval, evaluation.coverage)),
        _chapter("Weakest slices", bullets(evaluation.weaknesses)),
        _chapter("Slices", _slices(evaluation)),
        _chapter("Fairness", *_fairness(evaluation.fairness)),
        _chapter("Permutation importance", _importances(signature)),
        _chapter("Partial dependence", *_dependences(signature)),
        _chapter("Robustness", *_robustness(signature)),
        _chapter("Inputs", _inputs(signature.columns)),
        _chapter(
            "Candidates", _experiments(experiments), remark(" ".join(fold_notes(experiments)))
        ),
        _chapter("Library versions", _libraries(signature)),
    ]
    return render(
        "reporting/model_card",
        title=f"{signature.problem} {version}".strip(),
        statement=signature.statement,
        facts=_facts(signature, run_id),
        chapters=[one for one in chapters if one],
    )


def _chapter(title: str, *blocks: Block | None) -> Chapter | None:
    return chapter(title, card("", *blocks))


def _facts(signature: Signature, run_id: str) -> Pairs:
    facts = [
        ("task", signature.task),
        ("target", signature.target),
        ("classes", ", ".join(signature.classes)),
        ("model", _model(signature)),
        ("feature recipe", "" if signature.blend else signature.recipe),
        ("training rows", signature.rows),
        ("seed", str(signature.seed)),
        ("run", run_id),
    ]
    return Pairs([(name, [Text(value)]) for name, value in facts if value != ""])


def _model(signature: Signature) -> str:
    if not signature.blend:
        return signature.candidate
    return f"{signature.candidate} of {', '.join(str(one) for one in signature.blend)}"


def _libraries(signature: Signature) -> TableBlock | None:
    return _table(("library", "version"), sorted(signature.versions.items()))


def _performance(evaluation: EvaluationResult) -> list[Block | None]:
    rows: list[tuple[object, ...]] = [
        (
            evaluation.metric,
            evaluation.value,
            f"{_span(evaluation.interval)}; threshold {evaluation.threshold:g}",
        )
    ]
    others = {k: v for k, v in evaluation.metrics.items() if k != evaluation.metric}
    rows += [(name, value, "") for name, value in others.items()]
    rows += [
        (f"baseline: {name}", value, evaluation.metric)
        for name, value in evaluation.baselines.items()
    ]
    if evaluation.comparison and evaluation.comparison.champion_value is not None:
        rows.append(("champion", evaluation.comparison.champion_value, "on the same rows"))
    parity = f"{evaluation.parity.maximum_difference:.1e}"
    rows.append(("artifact against pipeline", parity, "largest difference"))
    return [remark(counted(evaluation.rows, "row")), _table(("measure", "value", ""), rows)]


def _calibration(calibration: Calibration | None) -> list[Block | None]:
    """Say how probabilities are corrected, and draw what was true of them before and after."""
    if calibration is None:
        return []
    if not calibration.before:
        return [_sentence(calibration.sentence)]
    curves = {
        name: [(one.said, one.true) for one in bins]
        for name, bins in (("before", calibration.before), ("after", calibration.after))
    }
    return [
        _sentence(calibration.sentence),
        charts.lines(
            "Share that was positive", curves, "", percent=True,
            along="probability that was answered, by tenths of the rows",
        ),
    ]  # fmt: skip


def _threshold(decision: Decision | None) -> list[Block | None]:
    """Say what is decided by, and draw what more or fewer alarms would have done."""
    if decision is None:
        return []
    curve = {
        "precision": [(one.share, one.precision) for one in decision.curve],
        "recall": [(one.share, one.recall) for one in decision.curve],
    }
    rows = [
        (f"{one.threshold:.4g}", f"{one.share:.1%}", f"{one.precision:.1%}", f"{one.recall:.1%}")
        for one in decision.curve
    ]
    return [
        _sentence(decision.sentence),
        charts.lines(
            "Precision and recall", curve, "", percent=True, along="share of rows called positive"
        ),
        _table(("threshold", "rows called positive", "precision", "recall"), rows),
    ]


def _interval(interval: PredictionInterval | None, coverage: float | None) -> list[Block | None]:
    """Say what intervals hold, and how far they reach from the answers."""
    if interval is None:
        return []
    held = "" if coverage is None else f" Of the holdout's values they hold {coverage:.1%}."
    edges = [f"{one:.6g}" for one in interval.edges]
    spans = [f"{a} to {b}" for a, b in zip(["lowest", *edges], [*edges, "highest"], strict=True)]
    ends = zip(spans, interval.low, interval.high, strict=True)
    rows = [(span, f"{low:+.4g}", f"{high:+.4g}") for span, low, high in ends]
    return [
        _sentence(f"{interval.sentence}.{held}".rstrip(".")),
        _table(("answer", "lower end", "upper end"), rows),
    ]


def _sentence(text: str) -> Block | None:
    return remark(f"{text[0].upper()}{text[1:]}.")


def _span(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return "no confidence interval: every resample of the rows scores the same"
    how = "exact" if interval.method == "exact" else "bootstrap"
    return f"{interval.low:.4f} to {interval.high:.4f} ({interval.confidence:.0%} {how} interval)"


def _slices(evaluation: EvaluationResult) -> TableBlock | None:
    words = {True: "met", False: "missed", None: ""}
    rows = [
        (one.column, one.value, one.rows, one.score, one.floor, words[one.met] or one.note)
        for one in evaluation.slices
    ]
    return _table(("column", "value", "rows", evaluation.metric, "floor", ""), rows)


def _fairness(gaps: Sequence[RateGap]) -> list[Block | None]:
    """Say how far groups of protected columns are apart, and each group's rates."""
    if not gaps:
        return []
    rows = [
        (gap.column, gap.measure, one.value, one.rows, f"{one.rate:.1%}",
         f"{one.low:.1%} to {one.high:.1%}")
        for gap in gaps
        for one in gap.groups
    ]  # fmt: skip
    header = ("column", "rate", "group", "rows", "share", "interval")
    return [bullets([gap.sentence for gap in gaps]), _table(header, rows)]


def _importances(signature: Signature) -> Markup:
    importances, errors = signature.importances, signature.importance_errors
    shown = [(name, value) for name, value in importances.items() if value > 0][:MOST_IMPORTANT]
    notes = [
        f"{value:.4f}" + (f" ± {errors[name]:.4f}" if name in errors else "")
        for name, value in shown
    ]
    return charts.bars("Importance", shown, "loss when the column is shuffled", notes=notes)


def _dependences(signature: Signature) -> list[Block | None]:
    """The mean answer over rows as one field changes: lines for numbers, bars for categories."""
    if not signature.dependences:
        return []
    what = "mean answer" if signature.task == "regression" else "mean probability"
    blocks: list[Block | None] = [
        remark(f"The {what} over rows whose other fields stay as they are.")
    ]
    return blocks + [_dependence(one, what) for one in signature.dependences]


def _dependence(one: PartialDependence, what: str) -> Markup:
    pairs = list(zip(one.values, one.answers, strict=True))
    texts = [(str(value), answer) for value, answer in pairs if isinstance(value, str)]
    if texts:
        notes = [f"{answer:.4g}" for _, answer in texts]
        return charts.bars(one.field, texts, f"{one.field}: {what}", notes=notes)
    numbers = [(float(str(value)), answer) for value, answer in pairs]
    return charts.lines(one.field, {what: numbers}, "", from_zero=False, along=one.field)


def _robustness(signature: Signature) -> list[Block | None]:
    """What the metric loses where a field of every request is not as it should be."""
    told = {"missing": "missing", "noise": "5% noise", "unit": "1,000 times", "unseen": "unseen"}
    rows = [
        (one.field, *(_loss(getattr(one, how)) for how in told)) for one in signature.robustness
    ]
    return [
        remark(f"What {signature.metric} loses where this happens to the field in every request."),
        _table(("field", *told.values()), rows),
    ] if rows else []  # fmt: skip


def _loss(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _inputs(fields: Iterable[Field]) -> TableBlock | None:
    rows = [(one.name, one.kind, _range(one), f"{one.missing:.1%}") for one in fields]
    return _table(("field", "kind", "seen in training", "missing in training"), rows)


def _range(field: Field) -> str:
    if field.kind == "category":
        shown = ", ".join(shortened(value, LONGEST) for value in field.values[:8])
        return shown + (", …" if len(field.values) > 8 else "")
    if field.minimum is None or field.maximum is None:
        return ""
    return f"{field.minimum:.6g} to {field.maximum:.6g}"


def _experiments(experiments: Sequence[Mapping[str, object]]) -> TableBlock | None:
    setting = ("setting",) if any(one.get("setting") for one in experiments) else ()
    scored = ("recipe", "metric", "mean", "std", "fit_seconds", "rows", "error")
    names = ("candidate", *setting, *scored)
    told = [
        {**one, "error": shortened(str(one.get("error") or ""), LONGEST_ERROR)}
        for one in experiments
    ]
    rows = [tuple(one.get(name) for name in names) for one in told]
    return _table(tuple(name.replace("_", " ") for name in names), rows)


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> TableBlock | None:
    shown = [["" if value is None else value for value in row] for row in rows]
    return TableBlock(header, shown) if shown else None
