"""A model card as one self-contained HTML page, after Mitchell et al., "Model Cards" (2019)."""

from collections.abc import Iterable, Mapping, Sequence

from noria.common.formatting import metric, moment, shortened
from noria.common.messages import counted
from noria.core.evaluation.results import EvaluationResult
from noria.core.model.signature import Field, Signature
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
from noria.core.reporting.intended_use import intended_use
from noria.core.reporting.learning_curve_section import learning_curve_blocks
from noria.core.reporting.model_chapters import (
    calibration_blocks,
    dependence_blocks,
    fairness_blocks,
    importance_chart,
    interval_blocks,
    robustness_blocks,
    rows_table,
    threshold_blocks,
)
from noria.core.reporting.model_data import model_data
from noria.core.reporting.model_limits import limits
from noria.core.reporting.model_lineage import model_lineage
from noria.core.reporting.run_evidence import RunEvidence
from noria.core.reporting.templates import render
from noria.core.statistics.confidence_intervals import Interval

LONGEST, LONGEST_ERROR = 60, 200  # letters of a category and of an error that are shown


def render_model_card(
    signature: Signature,
    evaluation: EvaluationResult,
    experiments: Sequence[Mapping[str, object]] = (),
    version: str = "",
    decisions: Sequence[str] = (),
    run_id: str = "",
    evidence: RunEvidence | None = None,
) -> str:
    """Render what the model is for, how good it is and where, what it takes, how it was made.

    `run_id` is of the run that trained it; `experiments` are dumped `Experiment` models. Intended
    use, data and limits are told of what the run recorded, its `evidence`.
    """
    known = (evidence,) if evidence else ()
    chapters = [
        _chapter("Decision", bullets(decisions)),
        *(intended_use(signature, evaluation, one) for one in known),
        *(model_data(evaluation, one) for one in known),
        _chapter("Performance on the holdout", *_performance(evaluation)),
        _chapter("Calibration", *calibration_blocks(signature)),
        _chapter("Decision threshold", *threshold_blocks(signature.decision)),
        _chapter("Prediction interval", *interval_blocks(signature.interval, evaluation.coverage)),
        _chapter("Slices", _slices(evaluation)),
        _chapter("Fairness", *fairness_blocks(evaluation.fairness)),
        _chapter("Permutation importance", importance_chart(signature)),
        chapter("Partial dependence", *dependence_blocks(signature)),
        _chapter("Robustness", *robustness_blocks(signature)),
        _chapter("Learning curve", *learning_curve_blocks(experiments)),
        *(limits(signature, evaluation, one) for one in known),
        _chapter("Inputs", _inputs(signature.columns)),
        _chapter(
            "Candidates", _experiments(experiments), remark(" ".join(fold_notes(experiments)))
        ),
        model_lineage(signature, evidence, experiments, version, run_id),
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


def _performance(evaluation: EvaluationResult) -> list[Block | None]:
    rows: list[tuple[object, ...]] = [
        (
            metric(evaluation.metric),
            evaluation.value,
            f"{_span(evaluation.interval)}; threshold {evaluation.threshold:g}",
        )
    ]
    others = {k: v for k, v in evaluation.metrics.items() if k != evaluation.metric}
    rows += [(metric(name), value, "") for name, value in others.items()]
    rows += [
        (f"baseline: {name}", value, metric(evaluation.metric))
        for name, value in evaluation.baselines.items()
    ]
    if evaluation.comparison and evaluation.comparison.champion_value is not None:
        rows.append(("champion", evaluation.comparison.champion_value, "on the same rows"))
    parity = f"{evaluation.parity.maximum_difference:.1e}"
    rows.append(("artifact against pipeline", parity, "largest difference"))
    return [remark(counted(evaluation.rows, "row")), rows_table(("measure", "value", ""), rows)]


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
    return rows_table(("column", "value", "rows", metric(evaluation.metric), "floor", ""), rows)


def _inputs(fields: Iterable[Field]) -> TableBlock | None:
    rows = [(one.name, one.kind, _range(one), f"{one.missing:.1%}") for one in fields]
    return rows_table(("field", "kind", "seen in training", "missing in training"), rows)


def _range(field: Field) -> str:
    if field.kind == "category":
        shown = ", ".join(shortened(value, LONGEST) for value in field.values[:8])
        return shown + (", …" if len(field.values) > 8 else "")
    if field.minimum is None or field.maximum is None:
        return ""
    if field.kind == "timestamp":
        return f"{moment(field.minimum)} to {moment(field.maximum)} UTC"
    return f"{field.minimum:.6g} to {field.maximum:.6g}"


def _experiments(experiments: Sequence[Mapping[str, object]]) -> TableBlock | None:
    """Every trial; the one that was trained is bold."""
    told = [
        {
            **one,
            "metric": metric(str(one.get("metric", ""))),
            "error": shortened(str(one.get("error") or ""), LONGEST_ERROR),
        }
        for one in experiments
    ]
    optional = [name for name in ("setting", "error") if any(one.get(name) for one in told)]
    names = ("candidate", "setting", "recipe", "metric", "mean", "std", "fit_seconds", "rows",
             "error")  # fmt: skip
    kept = [name for name in names if name in optional or name not in ("setting", "error")]
    chosen = [
        place for place, one in enumerate(told) if str(one.get("outcome")).startswith("chosen")
    ]
    return rows_table(
        [name.replace("_", " ") for name in kept],
        [[one.get(name) for name in kept] for one in told],
        chosen[0] if chosen else None,
    )
