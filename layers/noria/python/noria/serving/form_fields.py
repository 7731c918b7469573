"""The fields of the form that asks a model, as HTML: a choice for categories, dates as dates.

The endpoint's own page and the console share them, with `form_script`, which reads them.
"""

import html
import json
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from noria.core.model.signature import Field, Signature

MOST_CHOICES = 60  # categories of a choice; of more, a text with suggestions
ANOTHER = "another"  # the class of the text beside a choice


def form_fields(signature: Signature) -> str:
    """Write a field for each that a caller gives, filled in with the model's example."""
    shown = form_values(signature, signature.example)
    return "".join(
        _labelled(place, field, shown.get(field.name, ""), _is_date(field, signature.example))
        for place, field in enumerate(asked_fields(signature))
    )


def asked_fields(signature: Signature) -> list[Field]:
    """The fields of the form: what names an entity first, and nothing that is looked up."""
    asked = {field.name: field for field in signature.asked}
    if signature.history is None:
        return list(asked.values())
    named = {key.name: Field(name=key.name, kind="category") for key in signature.history.keys}
    when = {signature.history.event_time: Field(name=signature.history.event_time,
                                                kind="timestamp")}  # fmt: skip
    return list((named | when | asked).values())


def sent_as(signature: Signature) -> dict[str, str]:
    """What each field's text is sent as: number, boolean or text, as the data had it."""
    return {field.name: _sent_as(field) for field in asked_fields(signature)}


def form_values(signature: Signature, row: Mapping[str, Any]) -> dict[str, str]:
    """A request's row as the form shows it; what is missing is empty."""
    found = {}
    for field in asked_fields(signature):
        value = row.get(field.name)
        if value is None:
            found[field.name] = ""
        elif field.kind == "timestamp":
            found[field.name] = _local_time(field, value, _is_date(field, signature.example))
        else:
            found[field.name] = str(value).lower() if isinstance(value, bool) else str(value)
    return found


def script_json(value: Any) -> str:
    """Write JSON that cannot end the script element it stands in."""
    return json.dumps(value).replace("<", "\\u003c").replace("&", "\\u0026")


def hint(field: Field) -> str:
    """Say what a field takes, from what training saw."""
    if field.kind == "timestamp":
        return f"time in {field.zone or 'UTC'}"
    if field.type == "boolean":
        return "boolean, true or false"
    unit = f" {field.unit}" if field.unit else ""
    if field.kind == "number" and field.minimum is not None and field.maximum is not None:
        return f"number, {field.minimum:g} to {field.maximum:g}{unit}"
    return f"number{unit and f' in{unit}'}" if field.kind == "number" else "text"


def _labelled(place: int, field: Field, value: str, is_date: bool) -> str:
    """One field, with its name, what it takes, and the control."""
    name, told = html.escape(field.name).replace("_", "_<wbr>"), html.escape(hint(field))
    control = _control(place, field, html.escape(value), value, is_date)
    return (
        f'<div class="field"><label for="field-{place}">{name}</label>{control}'
        f'<small id="hint-{place}">{told}</small></div>'
    )


def _control(place: int, field: Field, shown: str, value: str, is_date: bool) -> str:
    name = html.escape(field.name)
    common = f'id="field-{place}" name="{name}" aria-describedby="hint-{place}"'
    if field.kind == "timestamp":
        kind = 'type="date"' if is_date else 'type="datetime-local" step="1"'
        return f'<input {common} {kind} value="{shown}">'
    choices = _choices(field)
    if choices and len(choices) <= MOST_CHOICES:
        return _choice(place, common, choices, value)
    if field.kind == "text":
        return f'<textarea {common} rows="3">{shown}</textarea>'
    mode = ' inputmode="decimal"' if field.kind == "number" else ""
    listed = f' list="options-{place}"' if choices else ""
    options = "".join(f'<option value="{html.escape(text)}">' for text in choices)
    known = f'<datalist id="options-{place}">{options}</datalist>' if choices else ""
    return f'<input {common}{mode}{listed} value="{shown}" autocomplete="off">{known}'


def _choices(field: Field) -> tuple[str, ...]:
    if field.type == "boolean":
        return ("true", "false")
    return field.values if field.kind == "category" else ()


def _choice(place: int, common: str, choices: tuple[str, ...], value: str) -> str:
    """A choice with an unknown one, and room for a value that training has not seen."""
    other = value not in ("", *choices)
    options = "".join(
        f'<option value="{html.escape(text)}"{" selected" if text == value else ""}>'
        f"{html.escape(text)}</option>"
        for text in choices
    )
    shown = html.escape(value) if other else ""
    return (
        f'<select {common}><option value="">unknown</option>{options}'
        f'<option value="" data-another{" selected" if other else ""}>another…</option></select>'
        f'<input class="{ANOTHER}" aria-label="another value" aria-describedby="hint-{place}" '
        f'value="{shown}"{"" if other else " hidden"}>'
    )


def _sent_as(field: Field) -> str:
    if field.type == "boolean":
        return "boolean"
    return "number" if field.kind == "number" or field.type in ("integer", "number") else "text"


def _zone(field: Field) -> tzinfo:
    return ZoneInfo(field.zone) if field.zone else UTC


def _is_date(field: Field, example: Mapping[str, Any]) -> bool:
    """Whether a time is a day: all that is known of it lies at midnight, in its zone."""
    if field.kind != "timestamp":
        return False
    known = [_moment(field, one) for one in (field.minimum, field.maximum, example.get(field.name))]
    found = [one for one in known if one is not None]
    return bool(found) and all((one.hour, one.minute, one.second) == (0, 0, 0) for one in found)


def _local_time(field: Field, value: Any, is_date: bool) -> str:
    """A time as the browser's control takes it, in the field's zone."""
    moment = _moment(field, value)
    if moment is None:
        return ""
    return f"{moment:%Y-%m-%d}" if is_date else f"{moment:%Y-%m-%dT%H:%M:%S}"


def _moment(field: Field, value: Any) -> datetime | None:
    """A time of a request, or in seconds since 1970; None where it is none."""
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC).astimezone(_zone(field))
        found = datetime.fromisoformat(str(value)) if value is not None else None
    except (ValueError, OverflowError, OSError):
        return None
    if found is None or found.tzinfo is None:
        return found
    return found.astimezone(_zone(field))
