"""Answers and refusals as columns beside a file's own."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from noria.common.messages import comma_list
from noria.core.model.row_outcomes import ERROR, Outcome
from noria.core.model.signature import Signature
from noria.errors import DataError

_LABELS = {"bool": pa.bool_(), "int": pa.int64(), "float": pa.float64(), "str": pa.string()}


def answer_columns(outcomes: Sequence[Outcome], signature: Signature) -> dict[str, pa.Array]:
    """Columns of n outcomes, each an answer as the endpoint gives it or `{"error": reason}`.

    `prediction` has the target's type. Beside it two classes have `probability`, several classes
    the maps `probabilities` and, for what those leave out, `others`, and numbers `interval_low` and
    `interval_high`. A refused row has `error`, and nothing else.
    """
    label = pa.float64() if signature.task == "regression" else _LABELS[signature.label_type]
    made = {"prediction": pa.array([one.get("prediction") for one in outcomes], label)}
    made |= {name: pa.array(values, kind)
             for name, kind, values in _details(outcomes, signature)}  # fmt: skip
    return made | {ERROR: pa.array([one.get(ERROR) for one in outcomes], pa.string())}


def refuse_taken(names: Sequence[str], signature: Signature, file: str) -> None:
    """Refuse a file that has columns where the answers' would be; raises DataError."""
    taken = [name for name in names if name in answer_columns([], signature)]
    if taken:
        raise DataError(
            f"{file} has a column {comma_list(map(repr, taken))}, as the answers have: rename it, "
            "or leave it out"
        )


def _details(
    outcomes: Sequence[Outcome], signature: Signature
) -> list[tuple[str, pa.DataType, list[Any]]]:
    if signature.task == "binary":
        return [("probability", pa.float64(), [one.get("probability") for one in outcomes])]
    if signature.task == "multiclass":
        named = [one.get("probabilities") for one in outcomes]
        pairs = [None if one is None else list(one.items()) for one in named]
        others = [None if ERROR in one else one.get("others", 0.0) for one in outcomes]
        return [
            ("probabilities", pa.map_(pa.string(), pa.float64()), pairs),
            ("others", pa.float64(), others),
        ]
    if signature.interval is None:
        return []
    ends = [one.get("interval") or (None, None) for one in outcomes]
    return [(name, pa.float64(), [end[place] for end in ends])
            for place, name in enumerate(("interval_low", "interval_high"))]  # fmt: skip
