"""The steps of a lineage, each from the documents that a stack recorded about it."""

from collections.abc import Mapping
from typing import Any

from noria.core.lineage.document import Item, Records, Served, Step, differences

RULE = "rule"  # the recipe of a rule that is served
NOT_RECORDED = "is gone: restore its earlier version in S3 (the bucket keeps them for 90 days)"


def steps_of(records: Records, served: Served | None = None) -> list[Step]:
    """Make the chain: prediction, model, features, run, clean data, raw data, contract, code."""
    first = [prediction_step(served)] if served else []
    return [
        *first,
        _model(records),
        _features(records),
        _run(records),
        _clean(records),
        *_raw(records),
        _contract(records),
        _code(records),
    ]


def prediction_step(served: Served) -> Step:
    """What was asked, answered, and turned out true."""
    record, label = served.record or {}, served.label or {}
    names = ("served_at", "inputs", "prediction", "score", "model_version", "function_version")
    facts = {name: record[name] for name in names if name in record}
    if label:
        facts |= {"label": label.get("value"), "labelled_at": label.get("received_at")}
    notes = {"notes": list(served.notes)} if served.notes else {}
    return Step(kind="prediction", name=served.id, facts=facts | notes,
                problems=list(served.problems))  # fmt: skip


def _model(records: Records) -> Step:
    signature, evaluation = records.signature or {}, records.evaluation or {}
    promotion, folder = records.promotion or {}, f"models/{records.version}/"
    names = ("candidate", "recipe", "metric", "seed")
    facts = {name: signature[name] for name in names if name in signature} | {
        "training_rows": signature.get("rows"),
        "metrics": evaluation.get("metrics") or promotion.get("metrics"),
        "is_champion": records.version == records.champion,
        "promoted_at": promotion.get("promoted_at"),
        "against_champion": (_verdict(records, "BeatsChampion").get("reasons") or [None])[0],
        "libraries": signature.get("versions"),
    }
    sums = (records.manifest or {}).get("sha256") or {}
    items = [Item(name=n, where=f"{folder}{n}", sha256=s) for n, s in sorted(sums.items())]
    gone = {"signature.json": records.signature, "evaluation.json": records.evaluation}
    problems = [f"{folder}{name} {NOT_RECORDED}" for name, found in gone.items()
                if found is None and name not in sums]  # fmt: skip
    if records.manifest is None:
        problems = [_no_manifest(records)]
    elif records.origin is None:
        problems.append(
            f"model version '{records.version}' was trained before its inputs were noted: its run "
            "follows from its name, their checksums are not known; a new run notes them"
        )
    return Step(kind="model", name=records.version, facts=_known(facts), objects=items,
                problems=[*records.problems, *problems])  # fmt: skip


def _no_manifest(records: Records) -> str:
    return (
        f"model version '{records.version}' has no manifest: it was never completed, or was "
        f"deleted; restore models/{records.version}/ in S3, or start a new run"
    )


def _features(records: Records) -> Step:
    recipe = (records.signature or records.plan or {}).get("recipe") or "unknown"
    plan = (records.plan or {}) if recipe != RULE else {}
    facts = {
        "recipe": recipe,
        "description": plan.get("description"),
        "why": plan.get("why"),
        "computes": plan.get("features"),
        "stored": {file["table"]: file["rows"] for file in records.stored} or None,
    }
    files = [Item(name=f["table"], where=f["key"], sha256=f["sha256"], rows=f["rows"])
             for f in records.stored]  # fmt: skip
    planned = None if recipe == RULE else _input(records, "plan", "plan.json")
    looked_up = _input(records, "history", "history.json")
    problems = []
    if not plan and recipe != RULE:
        problems.append(f"runs/{records.run_id}/iteration={records.turn}/plan.json {NOT_RECORDED}")
    objects = [*filter(None, [planned, looked_up]), *files]
    return Step(
        kind="features", name=str(recipe), facts=_known(facts), objects=objects, problems=problems
    )


def _run(records: Records) -> Step:
    ending = records.ending or {}
    facts = {
        "cause": ending.get("cause"),
        "as_of": ending.get("as_of") or (records.origin or {}).get("as_of"),
        "turn": records.turn,
        "ending": ending.get("ending"),
        "reasons": ending.get("reasons"),
        "verdicts": [_line(verdict) for verdict in records.verdicts],
    }
    problems = []
    if not records.verdicts and not ending:
        problems.append(f"nothing is left of run '{records.run_id}': runs/{records.run_id}/ "
                        f"{NOT_RECORDED}")  # fmt: skip
    elif not ending:
        facts["ending"] = "none yet: it is still on, or waits for a person"
    collected = _input(records, "collected", "collected.json")
    return Step(kind="run", name=records.run_id, facts=_known(facts),
                objects=[collected] if collected else [], problems=problems)  # fmt: skip


def _line(verdict: Mapping[str, Any]) -> str:
    reasons = verdict.get("reasons") or []
    why = f": {reasons[0]}" if reasons else ""
    turn = f" (iteration {verdict['iteration']})" if verdict.get("iteration", 0) > 1 else ""
    return f"{verdict.get('state')}{turn} {verdict.get('decision')}{why}"


def _clean(records: Records) -> Step:
    evidence = _verdict(records, "Transform").get("evidence") or {}
    names = ("rows", "accepted", "quarantined", "rules", "dropped_columns")
    facts = {name: evidence[name] for name in names if evidence.get(name) not in (None, {}, [])}
    run = f"run={records.run_id}"
    items = [
        _input(records, "dataset", "dataset.npz")
        or Item(name="dataset.npz", where=f"clean/{run}/dataset.npz"),
        _input(records, "rows", "rows.parquet")
        or Item(name="rows.parquet", where=f"clean/{run}/rows.parquet"),
        Item(name="quarantine", where=f"quarantine/{run}/rows.parquet"),
    ]
    return Step(kind="clean", name=records.run_id, facts=facts, objects=items)


def _raw(records: Records) -> list[Step]:
    if records.collected is None:
        problem = (
            "what was collected is not known: restore collected.json of the run (the bucket keeps "
            "earlier versions for 90 days)"
        )
        return [Step(kind="raw", name="sources", problems=[problem])]
    return [_source(item, records.run_id) for item in records.collected.get("sources", [])]


def _source(document: Mapping[str, Any], run_id: str) -> Step:
    name = str(document.get("source"))
    facts = {
        "kind": document.get("kind"),
        "collected_at": document.get("collected_at"),
        "rows": document.get("rows"),
        "columns": len(document.get("schema") or {}) or None,
    }
    table = Item(name="all rows", where=f"raw/{name}/run={run_id}/rows.parquet")
    files = [_file(file) for file in document.get("files", [])]
    unusable = document.get("unusable")
    problems = [f"source '{name}' was not usable: {unusable}"] if unusable else []
    return Step(kind="raw", name=name, facts=_known(facts),
                objects=[*files, *([] if unusable else [table])], problems=problems)  # fmt: skip


def _file(file: Mapping[str, Any]) -> Item:
    return Item(
        name=str(file.get("name")),
        where=str(file.get("where")),
        sha256=file.get("sha256"),
        etag=file.get("etag"),
        rows=file.get("rows"),
        collected_at=file.get("collected_at"),
    )


def _contract(records: Records) -> Step:
    key = f"runs/{records.run_id}/problem.json"
    item = _input(records, "contract", "problem.json") or Item(name="problem.json", where=key)
    problem = records.contract or {}
    facts: dict[str, Any] = {
        "statement": " ".join(str(problem.get("statement", "")).split()) or None,
        "objective": problem.get("objective"),
        "sha256": item.sha256,
    }
    if records.contract is not None and records.deployed is not None:
        facts["differs_from_deployed"] = differences(records.contract, records.deployed)
    problems = [] if records.contract is not None else [f"{key} {NOT_RECORDED}"]
    name = problem.get("name") or (records.signature or {}).get("problem") or "unknown"
    return Step(kind="contract", name=str(name), facts=_known(facts),
                objects=[item], problems=problems)  # fmt: skip


def _code(records: Records) -> Step:
    made_by = (records.origin or {}).get("code_version")
    facts = {"code_version": made_by, "deployed": records.deployed_code}
    return Step(kind="code", name=str(made_by or "unknown"), facts=_known(facts))


def _verdict(records: Records, state: str) -> Mapping[str, Any]:
    """The verdict of a state before the loop, or in the turn that trained the version."""
    turns = (0, records.turn)
    found = [v for v in records.verdicts if v.get("state") == state and v.get("iteration") in turns]
    return found[-1] if found else {}


def _input(records: Records, name: str, shown: str) -> Item | None:
    """An input that training noted with its checksum."""
    noted = ((records.origin or {}).get("inputs") or {}).get(name)
    return Item(name=shown, where=noted["key"], sha256=noted["sha256"]) if noted else None


def _known(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}
