"""What the endpoint writes down: a record per prediction and per label, with sortable ids."""

import json
import os
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from pydantic_core import to_json

from noria.common.messages import counted
from noria.core.model.answers import Answers
from noria.core.model.signature import Field, Signature
from noria.serving.requests import Row

NOT_LOGGED = "PredictionsNotLogged"
LONGEST_LINE = 250_000  # bytes; Lambda passes 256 KB of a line on
#: The first digit of a UUID's fourth group has two random bits, here by a random digit.
_VARIANTS = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
_UNTOLD = {"name", "kind", "further", "spellings", "fold", "notation"}


def new_ids(count: int, now: datetime) -> list[str]:
    """Make UUIDs of version 7: they sort by time and, within one request, by row (up to 4096).

    Random bits come from the kernel: a generator seeded before a SnapStart snapshot would repeat.
    """
    stamp, random = f"{int(now.timestamp() * 1000):012x}", os.urandom(8 * count).hex()
    head = f"{stamp[:8]}-{stamp[8:]}-7"
    tails = (random[at : at + 16] for at in range(0, 16 * count, 16))
    return [
        f"{head}{row & 0xFFF:03x}-{_VARIANTS[tail[0]]}{tail[1:4]}-{tail[4:]}"
        for row, tail in enumerate(tails)
    ]


def prediction_lines(
    rows: Sequence[Row],
    ids: Sequence[str],
    answers: Answers,
    versions: tuple[str, str],
    now: datetime,
    namespace: str,
) -> str:
    """Write a JSON line per prediction for standard output; `versions` are model and function.

    Fields that the model does not read were not looked at and are left out: they may be of any
    length and shape. Of a line that is longer than a log takes, the loss is counted in its place.
    """
    lines = list(map(to_json, prediction_records(rows, ids, answers, versions, now)))
    kept = [line for line in lines if len(line) <= LONGEST_LINE]
    if len(kept) < len(lines):
        reason = f"a prediction's record is longer than {LONGEST_LINE} bytes"
        kept.append(not_logged(len(lines) - len(kept), namespace, reason, now).encode())
    return b"\n".join(kept).decode() + "\n"


def prediction_records(
    rows: Sequence[Row],
    ids: Sequence[str],
    answers: Answers,
    versions: tuple[str, str],
    now: datetime,
) -> list[dict[str, Any]]:
    """The records of predictions by ids, of a model's and a function's version."""
    unread = frozenset(answers.signature.ignored)
    served_at = iso_milliseconds(now)
    model, function = versions
    return [
        {
            "prediction_id": name,
            "model_version": model,
            "function_version": function,
            "served_at": served_at,
            "inputs": _read_of(row, unread),
            "prediction": prediction,
            "score": score,
        }
        for name, row, prediction, score in zip(
            ids, rows, answers.predictions, answers.logged_scores(), strict=True
        )
    ]


def _read_of(row: Row, unread: frozenset[str]) -> Row:
    if unread.isdisjoint(row):
        return row
    return {name: row[name] for name in row if name not in unread}


def label_records(labels: Sequence[tuple[str, Any]], now: datetime) -> list[bytes]:
    """Write a JSON line per label."""
    return [
        line({"prediction_id": name, "value": value, "received_at": iso_milliseconds(now)})
        for name, value in labels
    ]


def ignored_fields(rows: Sequence[Row], ignored: Collection[str]) -> dict[str, list[str]]:
    """Name the fields of a request that were not read, such as the target itself."""
    sent = set[str]().union(*rows).intersection(ignored) if ignored else ()
    return {"ignored": sorted(sent)} if sent else {}


def repeated_labels(labels: Sequence[tuple[str, Any]]) -> dict[str, str]:
    """Say which value counts where a request labels a prediction more than once."""
    count = len(labels) - len({name for name, _ in labels})
    if not count:
        return {}
    return {"note": f"{counted(count, 'label')} repeated: the last one of a prediction counts"}


def not_logged(count: int, namespace: str, reason: str, now: datetime) -> str:
    """Write the log line that CloudWatch turns into a metric (embedded metric format)."""
    metric = {"Name": NOT_LOGGED, "Unit": "Count"}
    directive = {"Namespace": namespace, "Dimensions": [[]], "Metrics": [metric]}
    stamp = int(now.timestamp() * 1000)
    return json.dumps(
        {
            "_aws": {"Timestamp": stamp, "CloudWatchMetrics": [directive]},
            NOT_LOGGED: count,
            "message": "predictions were answered but not logged",
            "reason": reason,
        }
    )


def model_description(signature: Signature) -> dict[str, Any]:
    """Say what a model takes and answers, for GET /model."""
    return {
        "problem": signature.problem,
        "statement": signature.statement,
        "task": signature.task,
        "target": signature.target,
        "classes": [signature.label(code) for code in range(len(signature.classes))],
        "inputs": [
            {"name": field.name, "type": described_type(field)}
            | field.model_dump(exclude=_UNTOLD)
            | {"values": [field.plain(text) for text in field.values]}
            for field in signature.asked
        ],
        "unused": list(signature.ignored),
        **_history(signature),
        "example": signature.example,
        "metric": signature.metric,
        "candidate": signature.candidate,
        "recipe": signature.recipe,
        **({"blend": [one.model_dump() for one in signature.blend]} if signature.blend else {}),
        **_calibration(signature),
        **_decision(signature),
        **({"interval": signature.interval.model_dump()} if signature.interval else {}),
    }


def _calibration(signature: Signature) -> dict[str, Any]:
    found = signature.calibration
    return {} if found is None else {"calibration": found.model_dump(exclude={"knots", "heights"})}


def _decision(signature: Signature) -> dict[str, Any]:
    """From which probability on the positive class is answered, and what other thresholds do."""
    if signature.task != "binary":
        return {}
    told = signature.decision.model_dump() if signature.decision else {}
    return {"decision": {"threshold": signature.threshold} | told}


def described_type(field: Field) -> str:
    """What a field is: truth values are numbers to the model, but not to people."""
    return "boolean" if field.type == "boolean" else field.kind


def _history(signature: Signature) -> dict[str, Any]:
    """What is looked up for a row that does not carry it, and by which fields."""
    if signature.history is None:
        return {}
    return {"looked_up": signature.history.descriptions, "looked_up_by": signature.history.fields}


def iso_milliseconds(moment: datetime) -> str:
    """Write a time as ISO 8601 in UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line(record: dict[str, Any]) -> bytes:
    """Write one newline-terminated JSON line."""
    return json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n"
