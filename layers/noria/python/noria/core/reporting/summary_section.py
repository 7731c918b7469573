"""The report's first screen: what was asked, decided and found, for who reads only that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from noria.common.formatting import date, joined_with_and, metric, number
from noria.common.messages import counted
from noria.common.metric_table import LOWER_IS_BETTER
from noria.core.reporting import blocks, findings
from noria.core.reporting.quality_section import latest

Document = Mapping[str, Any]
GOOD = frozenset({"Promote", "KeepChampion", "RuleSuffices", "FeaturesStored"})
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
    "FeaturesStored": "The feature store is up to date",
    "Skipped": "This run was not admitted",
    "Failed": "The run failed",
}
# What a run that has not ended yet decided last.
DECISIONS = {
    ("Transform", "unusable"): "The data cannot be used",
    ("Analyse", "go_on"): "Going on: there is something to learn",
    ("Analyse", "rule_suffices"): ENDINGS["RuleSuffices"],
    ("Analyse", "reevaluate"): ENDINGS["ReevaluateProblem"],
    ("EvaluateModel", "met"): "A model meets the objective",
    ("EvaluateModel", "undecided"): "The holdout is too small to tell",
    ("EvaluateModel", "missed"): "The model falls short of the objective",
}
MOST_REASONS = 3
PARAGRAPH = 160  # letters from which a statement is no heading any more
MOST_SUSPECTS = 3


@dataclass(frozen=True)
class Tile:
    """A number that is to be compared with the objective."""

    label: str
    value: str
    tone: str


@dataclass(frozen=True)
class Summary:
    """The question, the decision and why, the findings, and the numbers that matter."""

    name: str
    moment: str
    statement: str
    headline: str
    tone: str
    reasons: Sequence[blocks.Block]
    found: Sequence[blocks.Block]
    tiles: Sequence[Tile]

    @property
    def is_long(self) -> bool:
        """Whether the statement is a paragraph, and is set like one."""
        return len(self.statement) > PARAGRAPH


def summarised(document: Document) -> Summary:
    """Gather the report's first screen."""
    problem, run = document.get("problem") or {}, document.get("run") or {}
    headline, reasons, tone = _decided(document)
    found = _found(document)
    return Summary(
        name=str(problem.get("name", "")),
        moment=_moment(str(run.get("as_of", ""))),
        statement=str(problem.get("statement") or problem.get("name") or "Run"),
        headline=headline,
        tone=tone,
        reasons=[blocks.Bullets(reasons[:MOST_REASONS])] if reasons else [],
        found=[blocks.Bullets(found)] if found else [],
        tiles=_tiles(document),
    )


def _decided(document: Document) -> tuple[str, list[str], str]:
    ending = document.get("ending") or {}
    name = str(ending.get("name") or "")
    if name:
        return ENDINGS.get(name, name), [str(r) for r in ending.get("reasons") or []], tone_of(name)
    last = (document.get("verdicts") or [{}])[-1]
    key = (str(last.get("state", "")), str(last.get("decision", "")))
    reasons = [str(reason) for reason in last.get("reasons") or []]
    return DECISIONS.get(key, "Running"), reasons, tone_of(name)


def tone_of(ending: str) -> str:
    """Choose the colour of an ending."""
    if ending in GOOD:
        return "good"
    return "wait" if ending in WAITING or not ending else "bad"


def _moment(text: str) -> str:
    return text[:16].replace("T", " ") + " UTC" if len(text) >= 16 else text


def _found(document: Document) -> list[str]:
    """Data, need, relations, leaks and movement: a sentence each, where there is one."""
    verdicts, problem = document.get("verdicts") or [], document.get("problem") or {}
    analysis = document.get("analysis") or {}
    season = findings.seasons(analysis, problem)[:1]
    found = [
        _data(latest(verdicts, "Transform"), analysis),
        _first_reason(latest(verdicts, "Analyse")),
        *(season or [findings.strongest(analysis)]),
        *_suspects(analysis),
        *findings.drifted(analysis),
    ]
    shown = set(_decided(document)[1][:MOST_REASONS])
    return [sentence for sentence in found if sentence and sentence not in shown]


def _data(verdict: Document, analysis: Document) -> str:
    evidence = verdict.get("evidence") or {}
    rows, accepted = evidence.get("rows"), evidence.get("accepted")
    if verdict.get("decision") == "unusable" or rows is None or accepted is None:
        return _first_reason(verdict) or (findings.rows(analysis) if analysis else "")
    time = analysis.get("time")
    period = f", {date(time['start'])} to {date(time['end'])}" if time else ""
    if accepted == rows:
        return f"{_all(rows)} usable{period}."
    rules = evidence.get("rules") or {}
    main = max(rules, key=lambda rule: rules[rule], default="")
    why = f", most because {main}" if len(rules) > 1 else f": {main}" if main else ""
    usable = f"{accepted:,} of {counted(rows, 'row')} {'is' if accepted == 1 else 'are'} usable"
    return f"{usable}{period}; {rows - accepted:,} quarantined{why}."


def _all(rows: int) -> str:
    return "The only row is" if rows == 1 else f"All {rows:,} rows are"


def _first_reason(verdict: Document) -> str:
    reasons = verdict.get("reasons") or [""]
    return str(reasons[0])


def _suspects(analysis: Document) -> list[str]:
    suspects = analysis.get("leakage") or []
    if not analysis:
        return []
    if not suspects:
        return ["No column shows signs of target leakage."]
    if len(suspects) > MOST_SUSPECTS:
        names = [str(item["column"]) for item in suspects]
        return [f"{joined_with_and(names)} may leak the target; the reasons are below."]
    return [f"{item['column']} may leak the target: it {item['reason']}." for item in suspects]


def _tiles(document: Document) -> list[Tile]:
    """What is to be compared with the objective; nothing where there is none."""
    objective = (document.get("problem") or {}).get("objective") or {}
    name, threshold = str(objective.get("metric", "")), objective.get("threshold")
    if threshold is None:
        return []
    sign = "≤" if name in LOWER_IS_BETTER else "≥"
    evaluation = document.get("evaluation") or {}
    champion = ((document.get("champion") or {}).get("metrics") or {}).get(name)
    baseline, quick = _without_model(document.get("verdicts") or [])
    scores = [
        (f"best without ML{baseline[0]}", baseline[1], ""),
        ("a quick model", quick, ""),
        (f"this run's model{_interval(evaluation)}", evaluation.get("value"), "judge"),
        ("the champion", champion, "judge"),
    ]
    return [
        Tile(f"{metric(name)} required", f"{sign} {threshold:g}", ""),
        *[
            Tile(label, number(score, 4), _tone(score, name, threshold) if judged else "")
            for label, score, judged in scores
            if blocks.is_number(score)
        ],
    ]


def _interval(evaluation: Document) -> str:
    interval = evaluation.get("interval")
    if not isinstance(interval, Mapping):
        return ""
    low, high = interval.get("low"), interval.get("high")
    if interval.get("method") == "none":
        return " (no confidence interval)"
    return (
        f" ({number(low)} to {number(high)})"
        if blocks.is_number(low) and blocks.is_number(high)
        else ""
    )


def _tone(score: float, name: str, threshold: float) -> str:
    met = score <= threshold if name in LOWER_IS_BETTER else score >= threshold
    return "good" if met else "bad"


def _without_model(verdicts: Sequence[Document]) -> tuple[tuple[str, Any], Any]:
    """The best answer without ML with its name, and the quick model's score."""
    evidence = latest(verdicts, "Analyse").get("evidence") or {}
    baseline = evidence.get("baseline")
    scores = evidence.get("scores")
    quick = [
        item.get("score")
        for item in (scores if isinstance(scores, list) else [])
        if isinstance(item, Mapping) and item.get("name") == "quick model"
    ]
    if not isinstance(baseline, Mapping):
        return ("", None), quick[0] if quick else None
    name = f": {baseline['name']}" if baseline.get("name") else ""
    return (name, baseline.get("score")), quick[0] if quick else None
