"""Labels: what turned out true, as the number that metrics take."""

import math

from noria.common.messages import listed
from noria.core.model.signature import Signature
from noria.errors import RequestError

SHOWN = 60


def parse_truth(value: object, signature: Signature) -> int | float:
    """Turn a label into its class code, or its number for regression; raises RequestError."""
    if signature.task == "regression":
        return _number(value)
    for code in range(len(signature.classes)):
        label = signature.label(code)
        if type(label) is type(value) and label == value:
            return code
    classes = listed(repr(signature.label(code)) for code in range(len(signature.classes)))
    raise RequestError(f"value {shown(value)} is no class of {signature.target!r}: send {classes}")


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(f"value {shown(value)} is not a number: send a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise RequestError(f"value {shown(value)} is not finite: send a finite number")
    return number


def shown(value: object) -> str:
    """Write a value into a message: ASCII, and cut where it is long."""
    text = ascii(value)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
