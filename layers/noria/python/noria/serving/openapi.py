"""The OpenAPI document, its request schema made from the model that is served."""

from typing import Any

from noria.core.model.explanation import EXPLAINED_ROWS
from noria.core.model.request_values import LARGEST
from noria.core.model.signature import Field, Signature
from noria.serving.csv_bodies import CSV
from noria.serving.request_forms import MAXIMUM_ROWS

ROW, ROWS, LABELS = "Row", "Rows", "Labels"
UNUSED = "not used by this model; may be left out"
ENTITY = "names the entity whose history is looked up"
INSTANT = "the instant of the prediction, by default now"
LOOKED_UP = "looked up where it is left out"
TIME: dict[str, Any] = {"type": ["string", "number", "null"], "format": "date-time"}
NUMBER: dict[str, Any] = {"type": ["number", "null"]}
EXPLAIN: dict[str, Any] = {
    "name": "explain",
    "in": "query",
    "required": False,
    "schema": {"type": "boolean", "default": False},
    "description": f"say what drove each answer; of at most {EXPLAINED_ROWS} rows",
}
TABLE: dict[str, Any] = {
    "type": "string",
    "description": "a header with the fields' names, and a line per row; an empty cell is null",
}


LISTS = ("rows", "instances", "dataframe_records")
SPLIT: dict[str, Any] = {
    "type": "object",
    "required": ["dataframe_split"],
    "additionalProperties": False,
    "properties": {
        "dataframe_split": {
            "type": "object",
            "required": ["columns", "data"],
            "additionalProperties": False,
            "properties": {
                "columns": {
                    "type": "array",
                    "items": {"type": "string"},
                    "uniqueItems": True,
                    "minItems": 1,
                },
                "index": {"type": "array", "description": "not read"},
                "data": {
                    "type": "array",
                    "items": {"type": "array"},
                    "minItems": 1,
                    "maxItems": MAXIMUM_ROWS,
                },
            },
        }
    },
}


def body_of(name: str) -> dict[str, Any]:
    """Describe a JSON body by the name of its schema, for a route that reads it itself."""
    reference = {"$ref": f"#/components/schemas/{name}"}
    content = {"application/json": {"schema": reference}}
    return {"requestBody": {"required": True, "content": content}}


def predict_operation() -> dict[str, Any]:
    """Describe what /predict takes: rows in JSON or CSV, and whether to explain the answers."""
    operation = body_of(ROWS)
    operation["requestBody"]["content"][CSV] = {"schema": TABLE}
    return {**operation, "parameters": [EXPLAIN]}


def schemas(signature: Signature | None) -> dict[str, Any]:
    """Return the schemas of the bodies; without a model a row may be any object."""
    row = {"$ref": f"#/components/schemas/{ROW}"}
    return {
        ROW: _row(signature),
        ROWS: {"anyOf": [*(_list(name, row) for name in LISTS), row, SPLIT]},
        LABELS: _list("labels", _label(signature)),
    }


def _list(name: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": [name],
        "additionalProperties": False,
        "properties": {
            name: {"type": "array", "items": item, "minItems": 1, "maxItems": MAXIMUM_ROWS}
        },
    }


def _row(signature: Signature | None) -> dict[str, Any]:
    if signature is None:
        return {"type": "object", "minProperties": 1}
    row: dict[str, Any] = {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {name: {"description": UNUSED} for name in signature.ignored}
        | _looked_up_by(signature)
        | {field.name: _property(field) for field in signature.columns}
        | _looked_up(signature),
    }
    return row | ({"example": signature.example} if signature.example else {})


def _looked_up_by(signature: Signature) -> dict[str, Any]:
    """The fields that name an entity and an instant."""
    if signature.history is None:
        return {}
    keys = {
        key.name: {"type": ["string", "number", "null"], "description": ENTITY}
        for key in signature.history.keys
    }
    return {signature.history.event_time: {**TIME, "description": INSTANT}} | keys


def _looked_up(signature: Signature) -> dict[str, Any]:
    """The time-window aggregations, which a row need not carry."""
    if signature.history is None:
        return {}
    told = signature.history.descriptions
    return {
        name: {**NUMBER, "description": f"{told.get(name, name)}; {LOOKED_UP}"}
        for name in signature.history.names
    }


def _property(field: Field) -> dict[str, Any]:
    seen = ""
    if field.minimum is not None and field.maximum is not None and field.kind == "number":
        unit = f" {field.unit}" if field.unit else ""
        seen = f"{field.minimum:g} to {field.maximum:g}{unit} in training"
    if field.values:
        seen = f"in training: {', '.join(field.values[:10])}"
    if field.notation.truths:
        seen = f"in training: {', '.join(field.notation.truths)}"
    limits = {"minimum": -LARGEST[32], "maximum": LARGEST[32]} if _is_single(field) else {}
    return {**_type(field), **limits, **({"description": seen} if seen else {})}


def _is_single(field: Field) -> bool:
    """Whether a field takes numbers of 32 bits."""
    return field.kind == "number" and not field.double and not field.notation.boolean


def _type(field: Field) -> dict[str, Any]:
    """The JSON types that a field takes, that of the data first."""
    if field.kind == "timestamp":
        return TIME
    taken = _of_numbers(field) if field.kind == "number" else _of_texts(field)
    return {"type": [*taken, "null"]}


def _of_numbers(field: Field) -> list[str]:
    if field.notation.boolean:
        return ["boolean", "integer", "string"]
    flag = ["boolean"] if field.takes_truths else []
    written = ["string"] if field.notation.decimal is not None or field.notation.units else []
    return ["number", *flag, *written]


def _of_texts(field: Field) -> list[str]:
    if field.type != "string":
        return [field.type, "string"]
    flag = ["boolean"] if field.truth_text(True) or field.truth_text(False) else []
    return ["string", *flag, *(["number"] if field.has_numbers else [])]


def _label(signature: Signature | None) -> dict[str, Any]:
    value: dict[str, Any] = {"type": ["boolean", "number", "string"]}
    if signature is not None:
        codes = range(len(signature.classes))
        value = {"enum": [signature.label(c) for c in codes]} if codes else {"type": "number"}
    return {
        "type": "object",
        "required": ["id", "value"],
        "additionalProperties": False,
        "properties": {"id": {"type": "string", "format": "uuid"}, "value": value},
    }
