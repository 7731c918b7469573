"""The report of a run: one HTML page that opens offline, what was decided first."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from noria.core.reporting import html as parts
from noria.core.reporting.analysis_section import analysis_section
from noria.core.reporting.evaluation_section import candidates, evaluation
from noria.core.reporting.quality_section import quality_section
from noria.core.reporting.stylesheet import STYLE
from noria.core.reporting.summary_section import first_screen

Document = Mapping[str, Any]
REASONS = 4


def render_report(document: Document) -> str:
    """Render a run's document as one self-contained HTML page without scripts.

    Keys: `run` {id, as_of, cause} and `problem` (the contract); optional are `verdicts`
    [{state, decision, reasons, evidence}], `analysis`, `experiments`, `evaluation`, `champion`
    and `ending` {name, reasons}. Missing parts are left out; all text is escaped.
    """
    problem, run = document.get("problem") or {}, document.get("run") or {}
    verdicts = document.get("verdicts") or []
    sections = [
        first_screen(document),
        _decisions(verdicts),
        analysis_section(document.get("analysis") or {}, problem),
        quality_section(verdicts),
        candidates(document.get("experiments") or [], problem),
        evaluation(document.get("evaluation") or {}),
        _champion(document.get("champion") or {}),
        parts.provenance(run, problem),
    ]
    title = escape(f"{problem.get('name', 'problem')} · run {run.get('id', '')}")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head>"
        f"<body><main>{''.join(sections)}</main></body></html>"
    )


def _decisions(verdicts: Sequence[Document]) -> str:
    if not verdicts:
        return ""
    steps = "".join(
        f"<li><b>{escape(str(item.get('state', '')))}</b> "
        f"{parts.badge(str(item.get('decision', '')), 'soft')}"
        f"{parts.bullets(item.get('reasons') or [], REASONS)}{_evidence(item.get('evidence'))}</li>"
        for item in verdicts
    )
    return f'<h2>Decisions</h2><div class="card"><ol class="steps">{steps}</ol></div>'


def _evidence(evidence: Any) -> str:
    if not evidence:
        return ""
    return f"<details><summary>Evidence</summary>{parts.facts(evidence)}</details>"


def _champion(champion: Document) -> str:
    if not champion:
        return ""
    return f'<h2>Champion</h2><div class="card">{parts.facts(champion)}</div>'
