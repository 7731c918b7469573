"""Which fields a request row may carry; others are refused, all at once."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.common.messages import ascii_repr, comma_list, nearest
from noria.core.model.signature import Signature
from noria.errors import RequestError


def refuse_unknown_fields(rows: Sequence[Mapping[str, Any]], signature: Signature) -> None:
    """Refuse no rows, rows that are no objects and fields that the model does not know."""
    if not rows:
        raise RequestError("the request has no rows: send at least one")
    known, unknown = signature.known, dict[str, int]()
    for number, row in enumerate(rows):
        if type(row) is not dict and not isinstance(row, Mapping):  # the latter takes its time
            raise RequestError(f"row {number} is {ascii_repr(row)}: send an object of fields")
        if not row.keys() <= known:
            unknown |= {name: number for name in row if name not in known | unknown.keys()}
    if unknown:
        raise RequestError(_unknown_fields(unknown, signature))


def _unknown_fields(rows: Mapping[str, int], signature: Signature) -> str:
    """Name all unknown fields at once; `rows` has the first row of each."""
    if signature.target in rows:
        field = f"row {rows[signature.target]}, field {ascii_repr(signature.target)}"
        return f"{field}: it is what the model predicts: leave it out"
    looked_up_by = signature.history.fields if signature.history else []
    names = list(dict.fromkeys([*looked_up_by, *signature.names]))
    found = {name: nearest(str(name), names) for name in rows}
    place, knows = f"row {min(rows.values())}: the model has no", f"it knows {comma_list(names)}"
    if len(found) == 1:
        [(name, near)] = found.items()
        return f"{place} field {ascii_repr(name)}; {f'did you mean {near!r}?' if near else knows}"
    told = [
        f"{ascii_repr(name)}{f' (did you mean {near!r}?)' if near else ''}"
        for name, near in found.items()
    ]
    return f"{place} fields {comma_list(told)}; {knows}"
