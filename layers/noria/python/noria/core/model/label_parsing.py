"""Labels (ground truth) of predictions, as the number that metrics take."""

import math

from noria.common.messages import ascii_repr, comma_list
from noria.core.model.signature import Signature
from noria.errors import RequestError


def encode_label(value: object, signature: Signature) -> int | float:
    """Turn a label into its class code, or its number for regression; raises RequestError."""
    if signature.task == "regression":
        return _number(value)
    for code in range(len(signature.classes)):
        label = signature.label(code)
        if _type(label) is _type(value) and label == value:
            return code
    classes = comma_list(repr(signature.label(code)) for code in range(len(signature.classes)))
    raise RequestError(
        f"value {ascii_repr(value)} is no class of {signature.target!r}: send {classes}"
    )


def _type(value: object) -> type:
    """Its type as JSON has it, where 5 and 5.0 are one number."""
    return float if isinstance(value, int) and not isinstance(value, bool) else type(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RequestError(f"value {ascii_repr(value)} is not a number: send a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise RequestError(f"value {ascii_repr(value)} is not finite: send a finite number")
    return number
