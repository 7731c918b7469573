"""Parts that a report is made of: values, tables, candidates, evaluation, provenance."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from noria.core import charts

Document = Mapping[str, Any]
SCORES = ("score", "mean")
SHOWN_FIRST = (
    "candidate",
    *SCORES,
    "std",
    "iteration",
    "recipe",
    "fit_seconds",
    "rows",
    "features",
)
NOT_SHOWN = frozenset({"metric", "scores", "score_seconds", "folds", "seed", "notes"})
LONG = 12
LOWER_IS_BETTER = frozenset({"log_loss", "rmse", "mae"})


def plain(value: Any) -> str:
    """Write one value for people, escaped."""
    if value is None:
        return charts.NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return charts.number(value, 4)
    return escape(str(value))


def badge(text: str, tone: str) -> str:
    """Write a short word in a coloured frame."""
    return f'<span class="badge {tone}">{escape(text)}</span>'


def bullets(sentences: Sequence[Any]) -> str:
    """List sentences; more than a dozen are folded away."""
    if not sentences:
        return ""
    items = [f"<li>{escape(str(sentence))}</li>" for sentence in sentences]
    shown = f"<ul>{''.join(items[:LONG])}</ul>"
    if len(items) <= LONG:
        return shown
    rest = f"<ul>{''.join(items[LONG:])}</ul>"
    return f"{shown}<details><summary>{len(items) - LONG} more</summary>{rest}</details>"


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], best: int | None = None) -> str:
    """Write a table; numbers are set right, the best row is bold."""
    numeric = [
        bool(rows) and all(_is_number(row[place]) or row[place] is None for row in rows)
        for place in range(len(head))
    ]
    header = "".join(
        f'<th class="n">{escape(name)}</th>' if right else f"<th>{escape(name)}</th>"
        for name, right in zip(head, numeric, strict=True)
    )
    body = "".join(
        f"<tr{' class=best' if place == best else ''}>"
        + "".join(
            f'<td class="n">{plain(value)}</td>' if right else f"<td>{plain(value)}</td>"
            for value, right in zip(row, numeric, strict=True)
        )
        + "</tr>"
        for place, row in enumerate(rows)
    )
    return f'<div class="scroll"><table><tr>{header}</tr>{body}</table></div>'


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def facts(value: Any) -> str:
    """Write any JSON value: mappings as two columns, lists of mappings as tables."""
    if isinstance(value, Mapping):
        rows = "".join(
            f"<tr><th>{escape(str(name).replace('_', ' '))}</th><td>{facts(item)}</td></tr>"
            for name, item in value.items()
        )
        return f'<div class="scroll"><table>{rows}</table></div>' if rows else charts.NOTHING
    if isinstance(value, list | tuple):
        return _facts_of_list(list(value))
    return plain(value)


def _facts_of_list(items: list[Any]) -> str:
    if not items:
        return charts.NOTHING
    if all(isinstance(item, Mapping) for item in items):
        head = list(dict.fromkeys(name for item in items for name in item))
        return table(head, [[_flat(item.get(name)) for name in head] for item in items])
    return ", ".join(plain(item) for item in items)


def _flat(value: Any) -> Any:
    """Write what is nested inside a table's cell on one line."""
    if isinstance(value, list | tuple):
        return " to ".join(charts.number(v) if _is_number(v) else str(v) for v in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_flat(item)}" for name, item in value.items())
    return value


def candidates(experiments: Sequence[Document], problem: Document) -> str:
    """Show every candidate that was tried, the best first; a failed one says why."""
    if not experiments:
        return ""
    metric = str((problem.get("objective") or {}).get("metric", "score"))
    sign = 1 if metric in LOWER_IS_BETTER else -1
    ordered = sorted(experiments, key=lambda item: _place(item, sign))
    known = dict.fromkeys(name for item in ordered for name in item if name not in NOT_SHOWN)
    known = {name: None for name in known if any(item.get(name) for item in ordered)}
    head = [name for name in SHOWN_FIRST if name in known]
    head += [name for name in known if name not in head]
    rows = [[_flat(item.get(name)) for name in head] for item in ordered]
    shown = [metric if name in SCORES else name.replace("_", " ") for name in head]
    best = 0 if _score(ordered[0]) is not None else None
    note = '<p class="soft">Cross-validated on training rows; the holdout is not seen here.</p>'
    return f'<h2>Candidates</h2><div class="card">{table(shown, rows, best)}{note}</div>'


def _score(item: Document) -> float | None:
    found = [item[name] for name in SCORES if _is_number(item.get(name))]
    return float(found[0]) if found else None


def _place(item: Document, sign: int) -> tuple[bool, float]:
    score = _score(item)
    return (score is None, sign * score if score is not None else 0.0)


def evaluation(document: Document) -> str:
    """Show the evaluation on the holdout: numbers first, then what is nested."""
    if not document:
        return ""
    verdict = bullets(document.get("reasons") or [])
    plain_facts = {k: v for k, v in document.items() if k != "reasons" and not _nested(v)}
    nested = {k: v for k, v in document.items() if k != "reasons" and _nested(v)}
    blocks = "".join(
        f'<div class="card"><h3>{escape(str(name).replace("_", " "))}</h3>{facts(value)}</div>'
        for name, value in nested.items()
        if value
    )
    top = f'<div class="card">{verdict}{facts(plain_facts) if plain_facts else ""}</div>'
    grid = f'<div class="grid-of-charts">{blocks}</div>' if blocks else ""
    return f"<h2>Evaluation on the holdout</h2>{top if verdict or plain_facts else ''}{grid}"


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def provenance(run: Document, problem: Document) -> str:
    """Show the run, its cause and the contract as it was used."""
    contract = escape(json.dumps(problem, indent=2, ensure_ascii=False, default=str))
    return (
        f'<h2>Provenance</h2><div class="card">{facts(run) if run else ""}'
        f"<details><summary>The contract of this run</summary><pre>{contract}</pre></details></div>"
    )
