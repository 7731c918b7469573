"""What is known of a step of a lineage, in short sentences: for the tree and for the picture."""

from collections.abc import Mapping
from typing import Any

from noria.common.formatting import metric, number
from noria.core.lineage.document import Step

MOST_VALUES = 40
ASKED = "asked: "


def sentences(step: Step) -> list[str]:
    """Say what is known of a step, a line each."""
    facts = step.facts
    written = {
        "prediction": _prediction,
        "model": _model,
        "features": _features,
        "run": _run,
        "clean": _clean,
        "raw": _raw,
        "contract": _contract,
        "code": _code,
    }[step.kind](facts)
    return [line for line in written if line]


def brief(step: Step) -> list[str]:
    """Say what matters most about a step, that first."""
    lines = sentences(step)
    if step.kind == "run":
        decisions = step.facts.get("verdicts", [])
        rest = [f"{len(decisions)} decisions, each with its reasons"] if decisions else []
        return [line for line in lines if line not in decisions] + rest
    asked = [line for line in lines if line.startswith(ASKED)]
    return [line for line in lines if line not in asked] + asked


def _prediction(facts: Mapping[str, Any]) -> list[str]:
    known, by = "label" in facts, facts.get("function_version") or "unknown"
    return [
        f"{_second(facts['served_at'])} by endpoint version {by}" if "served_at" in facts else "",
        f"{ASKED}{named(facts['inputs'])}" if "inputs" in facts else "",
        f"answered: {_answer(facts)}" if "prediction" in facts else "",
        f"actual: {plain(facts['label'])} (received {_second(facts.get('labelled_at'))})"
        if known else "",
        *[str(note) for note in facts.get("notes", [])],
    ]  # fmt: skip


def _answer(facts: Mapping[str, Any]) -> str:
    score, answer = facts.get("score"), facts["prediction"]
    if score is None or (score == answer and not isinstance(answer, bool)):  # a value is its score
        return plain(answer)
    return f"{plain(answer)} (score {plain(score)})"


def _model(facts: Mapping[str, Any]) -> list[str]:
    rows = facts.get("training_rows")
    learnt = f", {rows:,} training rows" if rows else ""
    promoted = facts.get("promoted_at")
    place = "the champion" if facts.get("is_champion") else "not the champion now"
    return [
        f"{facts['candidate']}, recipe {facts.get('recipe')}{learnt}, seed {facts.get('seed')}"
        if "candidate" in facts else "",
        f"{place}{f', promoted {_minute(promoted)}' if promoted else ', never promoted'}",
        f"on the holdout: {named(facts['metrics'])}" if facts.get("metrics") else "",
        str(facts.get("against_champion") or ""),
        f"made with {named(facts['libraries'])}" if facts.get("libraries") else "",
    ]  # fmt: skip


def _features(facts: Mapping[str, Any]) -> list[str]:
    return [
        str(facts.get("description") or ""),
        str(facts.get("why") or ""),
        *[
            f"feature set {_version(table)}: {rows:,} rows that this run added"
            for table, rows in facts.get("stored", {}).items()
        ],
    ]


def _version(table: str) -> str:
    """Name a feature set and its version, which its table has at its end from the second on."""
    name, _, number_of = table.rpartition("_v")
    return f"{name} version {number_of}" if number_of.isdecimal() and name else f"{table} version 1"


def _run(facts: Mapping[str, Any]) -> list[str]:
    cause = facts.get("cause") or {}
    who = cause.get("alarm") or f"a {cause.get('kind')}"
    return [
        f"started by {who}, as of {_minute(facts.get('as_of'))}" if cause else "",
        f"ended: {facts['ending']}" if facts.get("ending") else "",
        *[str(line) for line in facts.get("verdicts", [])],
    ]  # fmt: skip


def _clean(facts: Mapping[str, Any]) -> list[str]:
    if "rows" not in facts:
        return []
    return [
        f"{facts['rows']:,} rows in, {facts.get('accepted', 0):,} accepted, "
        f"{facts.get('quarantined', 0):,} quarantined",
        f"rules broken: {named(facts['rules'])}" if "rules" in facts else "",
        f"columns dropped: {', '.join(facts['dropped_columns'])}"
        if "dropped_columns" in facts else "",
    ]  # fmt: skip


def _raw(facts: Mapping[str, Any]) -> list[str]:
    rows, columns = facts.get("rows"), facts.get("columns")
    wide = f"{columns} column{'' if columns == 1 else 's'}"
    size = f": {rows:,} rows, {wide}" if rows is not None and columns else ""
    if "collected_at" not in facts:
        return []
    return [f"{facts.get('kind')}, collected {_minute(facts['collected_at'])}{size}"]


def _contract(facts: Mapping[str, Any]) -> list[str]:
    objective = facts.get("objective") or {}
    name = str(objective.get("metric", ""))
    differs = facts.get("differs_from_deployed")
    return [
        str(facts.get("statement") or ""),
        f"objective: {metric(name)} {plain(objective.get('threshold'))}" if name else "",
        *(["the same as the deployed one"] if differs == [] else []),
        *[f"differs from the deployed one: {line}" for line in differs or []],
    ]


def _code(facts: Mapping[str, Any]) -> list[str]:
    made_by, deployed = facts.get("code_version"), facts.get("deployed")
    if made_by is None:
        return ["not recorded with this version"]
    if deployed is None:
        return []
    return ["the same as is deployed" if made_by == deployed else f"deployed now: {deployed}"]


def named(values: Mapping[str, Any]) -> str:
    """Write a mapping on one line."""
    items = [f"{name} {plain(value)}" for name, value in list(values.items())[:MOST_VALUES]]
    more = len(values) - len(items)
    return ", ".join(items) + (f" and {more} more" if more > 0 else "")


def plain(value: Any) -> str:
    """Write one JSON value for people."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "missing"}[value]
    if isinstance(value, float):
        return number(value, 4)
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value)
    return named(value) if isinstance(value, Mapping) else str(value)


def _minute(moment: Any) -> str:
    """Write an ISO time to the minute."""
    text = str(moment or "unknown")
    return f"{text[:10]} {text[11:16]}" if text[10:11] in ("T", " ") else text


def _second(moment: Any) -> str:
    """Write an ISO time to the second."""
    text = str(moment or "at a time unknown")
    return f"{text[:10]} {text[11:19]}" if text[10:11] == "T" else text


def printable(text: str) -> str:
    """Spell out what no screen shows, such as the escapes that would steer a terminal."""
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)
