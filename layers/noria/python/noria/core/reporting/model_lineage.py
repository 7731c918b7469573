"""The card's chapter on what a version was made from: run, data, features, code, promotions."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.common.messages import comma_list
from noria.core.model.signature import Signature
from noria.core.reporting.blocks import (
    Block,
    Bullets,
    Chapter,
    Folded,
    Pairs,
    TableBlock,
    Text,
    card,
    chapter,
    remark,
)
from noria.core.reporting.run_evidence import RunEvidence

DIGEST = 12  # letters of a SHA-256 that are shown: those of `noria lineage`
MOST_FILES = 12
LATEST = 5  # promotions that are told
INPUTS = {
    "contract": "contract",
    "collected": "what was collected",
    "rows": "accepted rows",
    "dataset": "rows as models read them",
    "plan": "feature plan",
    "history": "lookup of history",
}


def model_lineage(
    signature: Signature,
    evidence: RunEvidence | None,
    experiments: Sequence[Mapping[str, Any]],
    version: str,
    run_id: str,
) -> Chapter | None:
    """Tell what the version was made from, by digest, and which versions served before it."""
    if evidence is None:
        return chapter("Lineage", card("Library versions", _libraries(signature)))
    follow = f"noria lineage STACK {version} --verify compares every digest with the bucket."
    return chapter(
        "Lineage",
        card("How it was made", Pairs(_made(signature, evidence, run_id, _folds(experiments)))),
        card("Inputs by digest", _inputs(evidence), remark(follow)),
        card("Collected parts by digest", *_files(evidence)),
        card("Library versions", _libraries(signature)),
        card("What served before", *_served(evidence)),
    )


def _folds(experiments: Sequence[Mapping[str, Any]]) -> str:
    """In how many folds the chosen trial was scored."""
    chosen = [one for one in experiments if str(one.get("outcome")).startswith("chosen")]
    return str(chosen[0].get("folds") or "") if chosen else ""


def _made(
    signature: Signature, evidence: RunEvidence, run_id: str, folds: str
) -> list[tuple[str, Sequence[Block]]]:
    origin, plan = evidence.origin, evidence.plan
    facts = {
        "run": run_id,
        "started by": _cause(evidence.cause),
        "as of": _minute(origin.get("as_of")),
        "turn": str(origin.get("iteration") or ""),
        "code version": str(origin.get("code_version") or ""),
        "feature plan": _plan(plan),
        "seed": str(signature.seed),
        "folds": folds,
        "compared with": evidence.champion or "no version: none served",
    }
    return [(name, [Text(told)]) for name, told in facts.items() if told]


def _cause(cause: Mapping[str, Any]) -> str:
    if cause.get("alarm"):
        return f"alarm {cause['alarm']}"
    return f"a {cause['kind']}" if cause.get("kind") else ""


def _minute(moment: Any) -> str:
    text = str(moment or "")
    return f"{text[:10]} {text[11:16]} UTC" if len(text) > 15 else text


def _plan(plan: Mapping[str, Any]) -> str:
    if not plan:
        return ""
    why = f": {plan['why']}" if plan.get("why") else ""
    return f"{plan.get('recipe')} ({plan.get('description')}){why}"


def _inputs(evidence: RunEvidence) -> TableBlock | None:
    noted: Mapping[str, Any] = evidence.origin.get("inputs") or {}
    ordered = [*(name for name in INPUTS if name in noted), *sorted(set(noted) - {*INPUTS})]
    rows = [
        (INPUTS.get(name, name), noted[name]["key"], _short(noted[name]["sha256"]))
        for name in ordered
    ]
    return TableBlock(("input", "object", "SHA-256"), rows) if rows else None


def _files(evidence: RunEvidence) -> list[Block | None]:
    rows = [
        (source.get("source"), file.get("name"), file.get("rows"), _short(file.get("sha256")))
        for source in evidence.collected.get("sources") or []
        for file in source.get("files") or []
    ]
    head = ("source", "part", "rows", "SHA-256")
    shown = TableBlock(head, rows[:MOST_FILES]) if rows else None
    more = rows[MOST_FILES:]
    return [shown, Folded(f"{len(more)} more", [TableBlock(head, more)]) if more else None]


def _short(digest: Any) -> str:
    return str(digest or "")[:DIGEST]


def _libraries(signature: Signature) -> TableBlock | None:
    rows = sorted(signature.versions.items())
    return TableBlock(("library", "version"), rows) if rows else None


def _served(evidence: RunEvidence) -> list[Block | None]:
    """The latest promotions; this version's own is later than its card."""
    told = [_promotion(one) for one in reversed(evidence.promotions)]
    if not told:
        return [remark("No version served when this one was judged.")]
    ended = "Whether and when this version served is told by noria models list STACK."
    return [Bullets(told, LATEST), remark(ended)]


def _promotion(one: Mapping[str, Any]) -> str:
    by_hand = one.get("by_hand")
    who = f"run {one.get('run_id')}"
    if by_hand:
        who = f"{by_hand.get('by')} ({by_hand.get('action')}): {by_hand.get('reason')}"
    scores = comma_list([f"{name} {value:.4g}" for name, value in _metrics(one).items()])
    return f"{_minute(one.get('promoted_at'))}: {one.get('version')} by {who}; {scores}"


def _metrics(one: Mapping[str, Any]) -> dict[str, float]:
    """The objective's own metric, or what there is."""
    found: dict[str, float] = one.get("metrics") or {}
    name = str(one.get("metric"))
    return {name: found[name]} if name in found else found
