"""The report of a run: one HTML page that opens offline, what was decided first."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from noria.core import report_parts as parts
from noria.core.report_analysis import analysis_section
from noria.core.report_style import STYLE

Document = Mapping[str, Any]
GOOD = frozenset({"Promote", "KeepChampion", "RuleSuffices"})
WAITING = frozenset({"AwaitApproval", "ReevaluateProblem", "Skipped"})
ENDINGS = {
    "Promote": "A new champion serves",
    "KeepChampion": "The champion stays",
    "RuleSuffices": "A rule is enough: no model needed",
    "ReevaluateProblem": "The problem needs a second look",
    "HaltProblem": "Halted: the problem as stated cannot be solved",
    "HaltBadData": "Halted: the data cannot be used",
    "HaltNotEffective": "Halted: no model was good enough",
    "RollBack": "The new version was rolled back",
    "AwaitApproval": "Waiting for approval",
    "Skipped": "This run was not admitted",
    "Failed": "The run failed",
}


def render_report(document: Document) -> str:
    """Render a run's document as one self-contained HTML page without scripts.

    Keys: `run` {id, as_of, cause} and `problem` (the contract); optional are `verdicts`
    [{state, decision, reasons, evidence}], `analysis`, `experiments`, `evaluation`, `champion`
    and `ending` {name, reasons}. Missing parts are left out; all text is escaped.
    """
    problem, run = document.get("problem") or {}, document.get("run") or {}
    sections = [
        _first_screen(document),
        _decisions(document.get("verdicts") or []),
        analysis_section(document.get("analysis") or {}, problem),
        parts.candidates(document.get("experiments") or [], problem),
        parts.evaluation(document.get("evaluation") or {}),
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


def _first_screen(document: Document) -> str:
    problem, run = document.get("problem") or {}, document.get("run") or {}
    ending = document.get("ending") or {}
    name = str(ending.get("name") or "")
    tone = tone_of(name)
    found = _found(document)
    return (
        f'<div class="card hero {tone}">'
        f'<p class="name">{escape(str(problem.get("name", "")))} · '
        f"{escape(_moment(str(run.get('as_of', ''))))}</p>"
        f"<h1>{escape(str(problem.get('statement') or problem.get('name') or 'Run'))}</h1>"
        f"{parts.badge(ENDINGS.get(name, name or 'Running'), tone)}"
        f"{parts.bullets(ending.get('reasons') or [])}"
        + (f"<h3>What was found</h3>{parts.bullets(found)}" if found else "")
        + f"{_tiles(document)}</div>"
    )


def tone_of(ending: str) -> str:
    """Choose the colour of an ending."""
    if ending in GOOD:
        return "good"
    return "wait" if ending in WAITING or not ending else "bad"


def _moment(text: str) -> str:
    return text[:16].replace("T", " ") + " UTC" if len(text) >= 16 else text


def _found(document: Document) -> list[str]:
    """Take the sentence that explains each gate: the first reason of its latest verdict."""
    latest: dict[str, str] = {}
    for verdict in document.get("verdicts") or []:
        reasons = verdict.get("reasons") or []
        if reasons and verdict.get("state") in ("Transform", "Analyse", "EvaluateModel"):
            latest[verdict["state"]] = str(reasons[0])
    suspects = (document.get("analysis") or {}).get("leakage_suspects") or []
    warning = [f"Too good to be true: {', '.join(map(str, suspects))}"] if suspects else []
    return [*latest.values(), *warning]


def _tiles(document: Document) -> str:
    problem, analysis = document.get("problem") or {}, document.get("analysis") or {}
    objective = problem.get("objective") or {}
    metric = str(objective.get("metric", ""))
    champion = (document.get("champion") or {}).get("metrics") or {}
    shown: list[tuple[str, Any]] = [
        ("rows analysed", analysis.get("rows")),
        (f"wanted {metric}", objective.get("threshold")),
        (f"champion's {metric}", champion.get(metric)),
        ("best without ML", _baseline_score(document.get("verdicts") or [])),
        ("candidates tried", len(document.get("experiments") or []) or None),
    ]
    tiles = "".join(
        f'<div class="tile"><b>{parts.plain(value)}</b><span>{escape(label)}</span></div>'
        for label, value in shown
        if value is not None
    )
    return f'<div class="tiles">{tiles}</div>' if tiles else ""


def _baseline_score(verdicts: Sequence[Document]) -> Any:
    for verdict in reversed(verdicts):
        baseline = (verdict.get("evidence") or {}).get("baseline")
        if isinstance(baseline, Mapping):
            return baseline.get("score")
    return None


def _decisions(verdicts: Sequence[Document]) -> str:
    if not verdicts:
        return ""
    steps = "".join(
        f"<li><b>{escape(str(item.get('state', '')))}</b> "
        f"{parts.badge(str(item.get('decision', '')), 'soft')}"
        f"{parts.bullets(item.get('reasons') or [])}{_evidence(item.get('evidence'))}</li>"
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
