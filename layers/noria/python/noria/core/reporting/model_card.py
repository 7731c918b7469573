"""A model card as one self-contained HTML page, after Mitchell et al., "Model Cards" (2019)."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from noria.common.formatting import shortened
from noria.common.messages import counted
from noria.core.evaluation.evaluate import EvaluationResult
from noria.core.model.signature import Field, Signature
from noria.core.statistics.confidence_intervals import Interval

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;"
    "color:#1c2430;overflow-wrap:anywhere}h1{margin-bottom:0}"
    ".scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:.5rem 0}"
    "th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid #dde3ea;"
    "vertical-align:top;min-width:3.6rem}td:first-child{min-width:7rem}"
    "th{background:#f3f6f9}.bar{background:#2d7dd2;height:.7rem}"
)
LONGEST, LONGEST_ERROR = 60, 200  # letters of a category and of an error that are shown


def render_model_card(
    signature: Signature,
    evaluation: EvaluationResult,
    experiments: Sequence[Mapping[str, object]] = (),
    version: str = "",
    decisions: Sequence[str] = (),
) -> str:
    """Render what the model is for, how good it is and where, what it takes, how it was made.

    `experiments` are dumped `Experiment` models.
    """
    title = f"{signature.problem} {version}".strip()
    sections = [
        ("Decision", _list(decisions)),
        ("Performance on the holdout", _performance(evaluation)),
        ("Where it is weak", _list(evaluation.weaknesses)),
        ("Slices", _slices(evaluation)),
        ("What the answers rest on", _importances(signature.importances)),
        ("Inputs", _inputs(signature.columns)),
        ("Candidates", _experiments(experiments)),
        ("Made with", _table(("library", "version"), sorted(signature.versions.items()))),
    ]
    body = "".join(f"<h2>{escape(name)}</h2>{part}" for name, part in sections if part)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f"<h1>{escape(title)}</h1><p>{escape(signature.statement)}</p>{_facts(signature)}"
        f"{body}</body></html>"
    )


def _facts(signature: Signature) -> str:
    facts = [
        ("task", signature.task),
        ("target", signature.target),
        ("classes", ", ".join(signature.classes)),
        ("model", signature.candidate),
        ("feature recipe", signature.recipe),
        ("training rows", signature.rows),
        ("seed", signature.seed),
    ]
    return _table(("", ""), [(name, value) for name, value in facts if value != ""])


def _performance(evaluation: EvaluationResult) -> str:
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
    return f"<p>{counted(evaluation.rows, 'row')}</p>" + _table(("measure", "value", ""), rows)


def _span(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return "how sure cannot be told: every resample of the rows scores the same"
    how = "exact" if interval.method == "exact" else "bootstrap"
    return f"{interval.low:.4f} to {interval.high:.4f} ({interval.confidence:.0%} {how} interval)"


def _slices(evaluation: EvaluationResult) -> str:
    words = {True: "met", False: "missed", None: ""}
    rows = [
        (one.column, one.value, one.rows, one.score, one.floor, words[one.met] or one.note)
        for one in evaluation.slices
    ]
    return _table(("column", "value", "rows", evaluation.metric, "floor", ""), rows)


def _importances(importances: Mapping[str, float]) -> str:
    most = max(importances.values(), default=0)
    if most <= 0:
        return ""
    rows = "".join(
        f'<tr><td>{escape(name)}</td><td>{value:.4f}</td><td style="width:50%">'
        f'<div class="bar" style="width:{100 * value / most:.0f}%"></div></td></tr>'
        for name, value in list(importances.items())[:15]
        if value > 0
    )
    head = "<tr><th>column</th><th>loss when shuffled</th><th></th></tr>"
    return f'<div class="scroll"><table>{head}{rows}</table></div>'


def _inputs(fields: Iterable[Field]) -> str:
    rows = [(one.name, one.kind, _range(one), f"{one.missing:.1%}") for one in fields]
    return _table(("field", "kind", "seen in training", "missing in training"), rows)


def _range(field: Field) -> str:
    if field.kind == "category":
        shown = ", ".join(shortened(value, LONGEST) for value in field.values[:8])
        return shown + (", …" if len(field.values) > 8 else "")
    if field.minimum is None or field.maximum is None:
        return ""
    return f"{field.minimum:.6g} to {field.maximum:.6g}"


def _experiments(experiments: Sequence[Mapping[str, object]]) -> str:
    names = ("candidate", "recipe", "metric", "mean", "std", "fit_seconds", "rows", "error")
    told = [
        {**one, "error": shortened(str(one.get("error") or ""), LONGEST_ERROR)}
        for one in experiments
    ]
    rows = [tuple(one.get(name) for name in names) for one in told]
    return _table(tuple(name.replace("_", " ") for name in names), rows)


def _list(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(value)}</td>" for value in row) + "</tr>" for row in rows
    )
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    table = f'<div class="scroll"><table><tr>{head}</tr>{body}</table></div>'
    return table if body else ""


def _cell(value: object) -> str:
    if value is None:
        return ""
    return escape(f"{value:.4f}" if isinstance(value, float) else str(value))
