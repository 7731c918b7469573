"""Request bodies: rows or labels out; whatever else comes is refused with its remedy."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from noria.common.messages import ascii_repr
from noria.core.model.label_parsing import encode_label
from noria.core.model.request_values import MAXIMUM_TEXT
from noria.core.model.signature import Signature
from noria.errors import RequestError
from noria.serving.csv_bodies import CSV, as_trained, media_type
from noria.serving.json_bodies import parse_object, refuse_others
from noria.serving.request_forms import limited, rows_of

MAXIMUM_PROBABILITIES = 100_000  # an answer beyond 6 MB would be refused by Lambda

Row = Mapping[str, Any]


def parse_rows(body: bytes, content_type: str = "") -> list[Row]:
    """Read the rows of a body in any of the forms, see `request_forms`; raises RequestError.

    The cells of CSV are still texts: `read_texts` reads them once the model is known.
    """
    return [_checked(number, row) for number, row in enumerate(rows_of(body, content_type))]


def read_texts(rows: list[Row], content_type: str, signature: Signature) -> list[Row]:
    """Read the cells of CSV as training read its file's; rows of JSON have their types."""
    return as_trained(rows, signature) if media_type(content_type) == CSV else rows


def parse_labels(body: bytes, signature: Signature) -> list[tuple[str, Any]]:
    """Read the ids and values of `{"labels": [{"id", "value"}]}`; raises RequestError."""
    remedy = 'send {"labels": [{"id": "...", "value": ...}]}'
    document = parse_object(body, remedy)
    if not isinstance(document.get("labels"), list):
        raise RequestError(f"the request has no list of labels: {remedy}")
    refuse_others(document, "labels")
    labels = limited("labels", document["labels"])
    return [_label(number, label, signature) for number, label in enumerate(labels)]


def refuse_unanswerable(rows: Sequence[Row], signature: Signature) -> None:
    """Refuse a request whose answer would not fit into a response, or whose log into a record.

    Fields that the model reads are refused where they are read.
    """
    classes = max(1, len(signature.classes))
    if len(rows) * classes > MAXIMUM_PROBABILITIES:
        most = MAXIMUM_PROBABILITIES // classes
        raise RequestError(
            f"rows: {len(rows)} for {classes} classes; send at most {most} at a time"
        )
    for name in signature.history.fields if signature.history else ():
        for number, row in enumerate(rows):
            value = row.get(name)
            if isinstance(value, str) and len(value) > MAXIMUM_TEXT:
                raise RequestError(
                    f"row {number}, field {ascii_repr(name)}: {ascii_repr(value)} has "
                    f"{len(value)} characters; send at most {MAXIMUM_TEXT}"
                )


def _checked(number: int, row: object) -> Row:
    if not isinstance(row, dict):
        raise RequestError(f"row {number} is {ascii_repr(row)}: send an object of fields")
    if not row:
        raise RequestError(f"row {number} is empty: send the fields that GET /model lists")
    return row


def _label(number: int, label: object, signature: Signature) -> tuple[str, Any]:
    if not isinstance(label, dict) or label.keys() != {"id", "value"}:
        raise RequestError(
            f"label {number} is {ascii_repr(label)}: send an object with exactly id and value"
        )
    try:
        encode_label(label["value"], signature)
    except RequestError as error:
        raise RequestError(f"label {number}: {error}") from error
    return _prediction_id(number, label["id"]), label["value"]


def _prediction_id(number: int, value: object) -> str:
    remedy = "send the id that /predict answered with"
    if not isinstance(value, str):
        raise RequestError(f"label {number}: id {ascii_repr(value)} is not a text; {remedy}")
    try:
        return str(UUID(value))
    except ValueError as error:
        raise RequestError(
            f"label {number}: id {ascii_repr(value)} is no UUID; {remedy}"
        ) from error
