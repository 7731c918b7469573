"""The forms in which rows are sent: ours, those of other servers' clients, and CSV.

Of JSON: `{"rows": [...]}`, one bare row, `{"instances": [...]}` (TensorFlow Serving, KServe,
Vertex AI), and MLflow's `{"dataframe_records": [...]}` and `{"dataframe_split": {...}}`. All say
the same rows, and get the same answer. A body of two forms at once is refused.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from noria.common.messages import ascii_repr, comma_list
from noria.errors import RequestError
from noria.serving.csv_bodies import CSV, media_type, parse_csv
from noria.serving.json_bodies import parse_object, refuse_others

MAXIMUM_ROWS = 1000
REMEDY = 'send {"rows": [{...}]} or one row {...}'
#: How gzip begins, as it is and where a gateway took it for text in UTF-8.
GZIP = (b"\x1f\x8b", "\x1f\ufffd".encode())
#: Types that clients name for want of a better one: of these nothing need be said.
PLAIN = ("", "application/json", "application/octet-stream", "text/plain")
SPLIT = frozenset(["columns", "index", "data"])  # as pandas writes them


def rows_of(body: bytes, content_type: str = "") -> list[Any]:
    """Read a body's rows, 1 to 1,000, each of which may be of any type yet.

    Raises RequestError, with a remedy, for what is none of the forms.
    """
    if media_type(content_type) == CSV:
        return limited("rows", parse_csv(body, content_type, MAXIMUM_ROWS))
    return _of_document(parse_object(body, _remedy(body, content_type)))


def limited(name: str, items: list[Any]) -> list[Any]:
    """Refuse no items, and more than are answered at once."""
    if not 1 <= len(items) <= MAXIMUM_ROWS:
        raise RequestError(f"{name}: {len(items)} given; send 1 to {MAXIMUM_ROWS} at a time")
    return items


def _remedy(body: bytes, content_type: str) -> str:
    """What to send in place of a body that is no JSON."""
    given = media_type(content_type)
    if body.startswith(GZIP):
        return "it is packed with gzip; send it unpacked"
    if given in PLAIN or given.endswith("+json"):
        return REMEDY
    return f"{REMEDY}, as application/json, or CSV as {CSV}: its type is {ascii_repr(given)}"


def _of_document(document: dict[str, Any]) -> list[Any]:
    """A key is a form's where it holds what that form holds, else a field of one bare row."""
    forms = [name for name, (kind, _) in _FORMS.items() if isinstance(document.get(name), kind)]
    if not forms:
        _refuse_other_kinds(document)
        return [document]
    if len(forms) > 1:
        raise RequestError(f"the body has {' and '.join(forms)}: send one of them")
    [name] = forms
    refuse_others(document, name)
    return _FORMS[name][1](name, document[name])


def _refuse_other_kinds(document: dict[str, Any]) -> None:
    """Refuse a form that holds something else: no field of a row holds a list or an object."""
    name = next(iter(document)) if len(document) == 1 else None
    if name in _FORMS and isinstance(document[name], list | dict):
        raise RequestError(f"{name} is {ascii_repr(document[name])}: send {_HELD[name]}")


def _of_split(name: str, table: Mapping[str, Any]) -> list[Any]:
    """Join each row's values with the columns' names; the index, which pandas adds, is not read."""
    names, data = table.get("columns"), table.get("data")
    if not (table.keys() <= SPLIT and isinstance(names, list) and isinstance(data, list)):
        raise RequestError(f"{name} is {ascii_repr(table)}: send {_HELD[name]}")
    _refuse_unnamed(names)
    rows = limited(f"{name}.data", data)
    return [_joined(number, names, values) for number, values in enumerate(rows)]


def _refuse_unnamed(names: Sequence[object]) -> None:
    for number, name in enumerate(names):
        if not isinstance(name, str):
            raise RequestError(
                f"dataframe_split: column {number} is {ascii_repr(name)}: send names that are texts"
            )
    twice = [ascii_repr(name) for name, count in Counter(names).items() if count > 1]
    if twice:
        raise RequestError(f"dataframe_split: columns {comma_list(twice)} twice: send each once")


def _joined(number: int, names: list[str], values: object) -> dict[str, Any]:
    if not isinstance(values, list):
        raise RequestError(
            f"row {number} is {ascii_repr(values)}: send a list of values in dataframe_split.data"
        )
    if len(values) != len(names):
        raise RequestError(
            f"row {number} has {len(values)} values for {len(names)} columns: send one for each, "
            "null where it is missing"
        )
    return dict(zip(names, values, strict=True))


_FORMS: dict[str, tuple[type, Callable[[str, Any], list[Any]]]] = {
    "rows": (list, limited),
    "instances": (list, limited),
    "dataframe_records": (list, limited),
    "dataframe_split": (dict, _of_split),
}
_HELD = dict.fromkeys(_FORMS, "a list of objects") | {"dataframe_split": "columns and data"}
