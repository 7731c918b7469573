"""What the endpoint writes down: a record per prediction and per label, with sortable ids."""

import json
import secrets
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from noria.common.messages import counted
from noria.core.model.signature import Field, Signature
from noria.serving.requests import Row

Answer = dict[str, Any]
NOT_LOGGED = "PredictionsNotLogged"
_UNTOLD = {"name", "kind", "spellings", "fold", "notation"}


def new_ids(count: int, now: datetime) -> list[str]:
    """Make UUIDs of version 7: they sort by time and, within one request, by row (up to 4096).

    Random bits come from the kernel: a generator seeded before a SnapStart snapshot would repeat.
    """
    head = int(now.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62
    return [str(UUID(int=head | row << 64 | secrets.randbits(62))) for row in range(count)]


def prediction_records(
    rows: Sequence[Row],
    answers: Sequence[Answer],
    model: str,
    function: str,
    now: datetime,
    ignored: Collection[str] = (),
) -> list[bytes]:
    """Write a JSON line per prediction; `answers` carry their ids, `ignored` fields are left out.

    What the model does not read was not looked at: it may be of any length and shape.
    """
    unread = frozenset(ignored)
    return [
        line(
            {
                "prediction_id": answer["id"],
                "model_version": model,
                "function_version": function,
                "served_at": iso_milliseconds(now),
                "inputs": {name: row[name] for name in row if name not in unread},
                "prediction": answer["prediction"],
                "score": logged_score(answer),
            }
        )
        for row, answer in zip(rows, answers, strict=True)
    ]


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


def logged_score(answer: Answer) -> Any:
    """Return P(positive), the classes' probabilities in the signature's order, or the value.

    Of two classes, P(second), whichever way they are answered.
    """
    if "probability" in answer:
        return answer["probability"]
    if "probabilities" in answer:
        every = list(answer["probabilities"].values())
        return every[1] if len(every) == 2 else every
    return answer["prediction"]


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
