"""The chapters of a model card on what a model answers, and on what it hangs."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from noria.common.formatting import metric
from noria.core.evaluation.fairness import RateGap
from noria.core.model.decision import Decision
from noria.core.model.partial_dependence import PartialDependence
from noria.core.model.prediction_interval import PredictionInterval
from noria.core.model.signature import Signature
from noria.core.reporting import charts
from noria.core.reporting.blocks import Block, Folded, TableBlock, bullets, card, grid, remark

MOST_IMPORTANT = 15


def calibration_blocks(signature: Signature) -> list[Block | None]:
    """Say how probabilities are corrected or why not, and draw what was true of them."""
    found = signature.calibration
    if found is None and not signature.calibration_note:
        return []
    bins = {"before": found.before, "after": found.after} if found else {}
    bins |= {"as they are": signature.reliability} if found is None else {}
    curves = {name: [(one.said, one.true) for one in rows] for name, rows in bins.items() if rows}
    ends = [said for points in curves.values() for said, _ in points]
    if ends:
        curves["perfectly calibrated"] = [(end, end) for end in (min(ends), max(ends))]
    sentence = found.sentence if found else f"not corrected: {signature.calibration_note}"
    return [
        _sentence(sentence),
        charts.lines(
            "Share that was positive", curves, "share that was positive", percent=True,
            along="probability that was answered",
        ),
        remark("Each point is a tenth of the rows that the folds held out.") if ends else None,
    ]  # fmt: skip


def threshold_blocks(decision: Decision | None) -> list[Block | None]:
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
    header = ("threshold", "rows called positive", "precision", "recall")
    return [
        _sentence(decision.sentence),
        charts.lines(
            "Precision and recall", curve, "", percent=True, along="share of rows called positive"
        ),
        Folded("Every threshold", [TableBlock(header, rows)]) if rows else None,
    ]


def interval_blocks(
    interval: PredictionInterval | None, coverage: float | None
) -> list[Block | None]:
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
        rows_table(("answer", "lower end", "upper end"), rows),
    ]


def fairness_blocks(gaps: Sequence[RateGap]) -> list[Block | None]:
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
    return [bullets([gap.sentence for gap in gaps]), rows_table(header, rows)]


def importance_chart(signature: Signature) -> Markup:
    """Draw what the metric loses without each field, with the standard error over shuffles."""
    importances, errors = signature.importances, signature.importance_errors
    shown = [(name, value) for name, value in importances.items() if value > 0][:MOST_IMPORTANT]
    notes = [
        f"{value:.4f}" + (f" ± {errors[name]:.4f}" if name in errors else "")
        for name, value in shown
    ]
    return charts.bars("Importance", shown, "loss when the column is shuffled", notes=notes)


def dependence_blocks(signature: Signature) -> list[Block | None]:
    """The mean answer over rows as one field changes: lines for numbers, bars for categories."""
    if not signature.dependences:
        return []
    what = "mean answer" if signature.task == "regression" else "mean probability"
    blocks: list[Block | None] = [
        remark(f"The {what} over rows whose other fields stay as they are.")
    ]
    pictures = [card(one.field, _dependence(one, what)) for one in signature.dependences]
    return [*blocks, grid(*pictures)]


def _dependence(one: PartialDependence, what: str) -> Markup:
    pairs = list(zip(one.values, one.answers, strict=True))
    texts = [(str(value), answer) for value, answer in pairs if isinstance(value, str)]
    if texts:
        notes = [f"{answer:.4g}" for _, answer in texts]
        return charts.bars(one.field, texts, f"{one.field}: {what}", notes=notes)
    numbers = [(float(str(value)), answer) for value, answer in pairs]
    return charts.lines(one.field, {what: numbers}, "", from_zero=False, along=one.field)


def robustness_blocks(signature: Signature) -> list[Block | None]:
    """What the metric loses where a field of every request is not as it should be."""
    told = {"missing": "missing", "noise": "5% noise", "unit": "1,000 times", "unseen": "unseen"}
    rows = [(one.field, *(getattr(one, how) for how in told)) for one in signature.robustness]
    name = metric(signature.metric)
    return [
        remark(f"What {name} loses where this happens to the field in every request."),
        rows_table(("field", *told.values()), rows),
    ] if rows else []  # fmt: skip


def _sentence(text: str) -> Block | None:
    return remark(f"{text[0].upper()}{text[1:]}.")


def rows_table(
    header: Sequence[str], rows: Iterable[Sequence[object]], best: int | None = None
) -> TableBlock | None:
    """A table, its best row in bold; None without rows."""
    shown = [*rows]
    return TableBlock(header, shown, best) if shown else None
