"""Whether more rows would help a model: a picture and a sentence, for card, report and trials."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.common.formatting import metric
from noria.core.model.learning_curve import LearningCurve
from noria.core.reporting import charts
from noria.core.reporting.blocks import Block, remark


def curve_of(experiments: Sequence[Mapping[str, Any]]) -> LearningCurve | None:
    """The curve of the latest turn's experiment that has one."""
    measured = [one for one in experiments if one.get("learning_curve")]
    if not measured:
        return None
    latest = max(measured, key=lambda one: int(one.get("iteration") or 0))
    return LearningCurve.model_validate(latest["learning_curve"])


def learning_curve_blocks(experiments: Sequence[Mapping[str, Any]]) -> list[Block | None]:
    """Draw the score by rows, and say whether more would help; nothing where it is not known."""
    curve = curve_of(experiments)
    if curve is None:
        return []
    points = [(float(rows), score) for rows, score in zip(curve.rows, curve.scores, strict=True)]
    name = metric(curve.metric)
    picture = charts.lines(
        "Learning curve", {name: points}, name, from_zero=False, along="rows learnt from"
    )
    sentence = curve.sentence
    return [picture, remark(f"{sentence[0].upper()}{sentence[1:]}.")]
