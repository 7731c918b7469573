"""The report of a run: one HTML page that opens offline, what was decided first."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from noria.core.reporting import blocks
from noria.core.reporting.analysis_section import analysis_section
from noria.core.reporting.evaluation_section import candidates, evaluation
from noria.core.reporting.quality_section import quality_section
from noria.core.reporting.summary_section import summarised
from noria.core.reporting.templates import render

Document = Mapping[str, Any]
REASONS = 4


@dataclass(frozen=True)
class _Decision:
    state: str
    decision: str
    blocks: Sequence[blocks.Block]


def render_report(document: Document) -> str:
    """Render a run's document as one self-contained HTML page without scripts.

    Keys: `run` {id, as_of, cause} and `problem` (the contract); optional are `verdicts`
    [{state, decision, reasons, evidence}], `analysis`, `experiments`, `evaluation`, `champion`
    and `ending` {name, reasons}. Missing parts are left out; all text is escaped.
    """
    problem, run = document.get("problem") or {}, document.get("run") or {}
    verdicts = document.get("verdicts") or []
    champion = document.get("champion")
    chapters = [
        analysis_section(document.get("analysis") or {}, problem),
        quality_section(verdicts),
        candidates(document.get("experiments") or [], problem),
        evaluation(document.get("evaluation") or {}),
        blocks.chapter("Champion", blocks.card("", *blocks.facts(champion)) if champion else None),
        _provenance(run, problem),
    ]
    return render(
        "reporting/report",
        title=f"{problem.get('name', 'problem')} · run {run.get('id', '')}",
        summary=summarised(document),
        decisions=[_decision(verdict) for verdict in verdicts],
        chapters=[chapter for chapter in chapters if chapter],
    )


def _decision(verdict: Document) -> _Decision:
    reasons = blocks.bullets(verdict.get("reasons") or [], REASONS)
    found = verdict.get("evidence")
    evidence = blocks.Folded("Evidence", blocks.facts(found)) if found else None
    return _Decision(
        str(verdict.get("state", "")),
        str(verdict.get("decision", "")),
        [block for block in (reasons, evidence) if block],
    )


def _provenance(run: Document, problem: Document) -> blocks.Chapter | None:
    """The run, its cause and the contract as it was used."""
    contract = json.dumps(problem, indent=2, ensure_ascii=False, default=str)
    folded = blocks.Folded("The contract of this run", [blocks.Verbatim(contract)])
    return blocks.chapter(
        "Provenance", blocks.card("", *(blocks.facts(run) if run else ()), folded)
    )
