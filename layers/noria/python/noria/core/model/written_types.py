"""Which types texts had before they were written as text: of classes, and of categories."""

import math
from collections.abc import Collection
from typing import Literal

LabelType = Literal["bool", "int", "float", "str"]
DataType = Literal["boolean", "integer", "number", "string"]
Label = bool | int | float | str


def label_type_of(classes: tuple[str, ...]) -> LabelType:
    """Tell which type the class texts had before they were written as text."""
    if not classes:
        return "str"
    if all(text.lower() in ("true", "false") for text in classes):
        return "bool"
    if all(_is_integer(text) for text in classes):
        return "int"
    numbers = {float(text) for text in classes if is_number(text)}
    return "float" if len(numbers) == len(classes) else "str"


def data_type_of(texts: Collection[str]) -> DataType:
    """Tell which type the texts of a category had in the data."""
    if not texts:
        return "string"
    if {text.lower() for text in texts} <= {"true", "false"}:
        return "boolean"
    if all(_is_integer(text) for text in texts):
        return "integer"
    return "number" if all(is_number(text) for text in texts) else "string"


def parse_label(text: str, label_type: LabelType) -> Label:
    """Turn a class text back into its value."""
    if label_type == "bool":
        return text.lower() == "true"
    if label_type == "float":
        return float(text)
    return int(text) if label_type == "int" else text


def is_number(text: str) -> bool:
    """Whether a text is a number as software writes one: no code such as 012, no infinity."""
    plain = text.removeprefix("-")
    if not plain[:1].isdigit() or not plain.isascii() or "_" in plain:
        return False
    try:
        return math.isfinite(float(plain)) and (plain[0] != "0" or plain[1:2] in ("", ".", "e"))
    except ValueError:
        return False


def _is_integer(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and str(int(text)) == text
