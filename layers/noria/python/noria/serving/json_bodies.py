"""JSON bodies as objects; what is none, is too large or names a field twice is refused."""

import json
from typing import Any

from pydantic_core import from_json

from noria.common.messages import ascii_repr
from noria.errors import RequestError

MAXIMUM_BYTES = 5 * 1024 * 1024  # Lambda takes 6 MB, its event's envelope included
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: Ends each name of an object; a text that begins with a colon looks like one too.
NAME_END = b'":'
SPACE = b" \n\r\t"  # that may stand between a name and its colon


class BodyTooLargeError(RequestError):
    """A body with more bytes than a Lambda function takes."""


class _Object(dict[str, Any]):
    """An object that was written with one name twice."""

    twice: str


def parse_object(body: bytes, remedy: str) -> dict[str, Any]:
    """Read a body in UTF-8, with or without a byte order mark; raises RequestError."""
    refuse_large(body)
    plain = body.removeprefix(BYTE_ORDER_MARK)
    try:
        document = from_json(plain, allow_inf_nan=False, cache_strings="keys")
    except ValueError as error:
        raise RequestError(f"the body is not JSON ({error}): {remedy}") from error
    if not isinstance(document, dict):
        raise RequestError(f"the body is {ascii_repr(document)}: {remedy}")
    # Counting is fast, and more names than fields are seldom: only then is it looked at closely.
    if plain.translate(None, SPACE).count(NAME_END) > _fields(document):
        _refuse_repeated(plain)
    return document


def refuse_large(body: bytes) -> None:
    """Refuse a body that Lambda would not take everywhere."""
    if len(body) > MAXIMUM_BYTES:
        raise BodyTooLargeError(
            f"the body has {len(body)} bytes: send at most {MAXIMUM_BYTES}, in several requests"
        )


def refuse_others(document: dict[str, Any], known: str) -> None:
    """Refuse fields beside the only one that a document has."""
    others = sorted(document.keys() - {known})
    if others:
        raise RequestError(
            f"field {ascii_repr(others[0])} is unknown beside {known!r}: leave it out"
        )


def _fields(document: dict[str, Any]) -> int:
    """Count the names in a document, in its objects, and in those that its lists hold."""
    values = document.values()
    items = [item for value in values if isinstance(value, list) for item in value]
    objects = [value for value in [*values, *items] if type(value) is dict]
    return len(document) + sum(map(len, objects))


def _refuse_repeated(body: bytes) -> None:
    """Refuse a body in which an object has one name twice: a parser would keep either."""
    found: list[_Object] = []

    def read(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = _Object(pairs)
        if len(made) < len(pairs):
            names = [name for name, _ in pairs]
            made.twice = next(name for name in names if names.count(name) > 1)
            found.append(made)
        return made

    try:
        document = json.loads(body, object_pairs_hook=read)
    except ValueError as error:  # such as a number of more digits than Python reads
        raise RequestError(f"the body is not JSON ({error}): send numbers of few digits") from error
    if found:
        raise RequestError(
            f"{_place(document, found[0])}field {ascii_repr(found[0].twice)} is given twice: "
            "send each field once"
        )


def _place(document: dict[str, Any], repeated: _Object) -> str:
    """Say in which row or label an object stands."""
    for name, value in document.items():
        for number, item in enumerate(value if isinstance(value, list) else ()):
            if item is repeated:
                return f"{name.removesuffix('s')} {number}: "
    return ""
