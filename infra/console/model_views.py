"""A stack's models as its pages show them: intervals side by side, and who served when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from infra.cli.model_list import CHAMPION, HISTORY, ModelVersion, minute
from infra.cli.run_records import Bucket
from noria.common.formatting import metric, number
from noria.core.reporting import svg

ROW, HEAD = 30, 22  # units of a row, and above the first
NAMED = 72  # units that a version's name takes


@dataclass(frozen=True)
class Reign:
    """A time at which a version served; `until` is empty where it still does."""

    version: str
    since: str
    until: str
    run_id: str
    why: str


def reigns(bucket: Bucket) -> list[Reign]:
    """Who served when and why, the latest first; the champion counts without its own entry."""
    entries = [bucket.json(key) for key in bucket.keys(HISTORY)]
    found = {
        (str(one["promoted_at"]), str(one["version"])): one
        for one in [*entries, bucket.json(CHAMPION)]
        if one
    }
    in_turn = [found[key] for key in sorted(found)]
    ends = [*(str(one["promoted_at"]) for one in in_turn[1:]), ""][: len(in_turn)]
    told = [
        Reign(str(one["version"]), minute(str(one["promoted_at"])), minute(end),
              str(one["run_id"]), _why(one))
        for one, end in zip(in_turn, ends, strict=True)
    ]  # fmt: skip
    return told[::-1]


def intervals(versions: Sequence[ModelVersion]) -> Markup:
    """Draw each version's metric on its own holdout with its interval, and the objective.

    Only versions that were judged by the same metric as the latest one.
    """
    judged = [one for one in versions if one.evaluation.get("value") is not None]
    if not judged:
        return Markup()
    last = judged[-1].evaluation
    shown = [one for one in judged if one.evaluation["metric"] == last["metric"]]
    bounds = [bound for one in shown for bound in _bounds(one.evaluation)]
    goal = float(last["threshold"])
    scale = _Across(min([*bounds, goal]), max([*bounds, goal]))
    height = HEAD + ROW * len(shown)
    parts = [
        svg.rule(scale.x(goal), HEAD - 8, scale.x(goal), height, "limit"),
        svg.text(scale.x(goal), 11, f"objective {number(goal)}", _anchor(scale, goal), "axis"),
    ]
    for place, one in enumerate(shown):
        parts += _whisker(one, HEAD + ROW * place + ROW / 2, scale)
    title = f"{metric(str(last['metric']))} with interval, by version"
    return svg.picture(title, height + 6, parts)


class _Across:
    """Maps a metric's values to the room right of the names."""

    def __init__(self, low: float, high: float) -> None:
        room = (high - low) * 0.08 or 0.05
        self.low, self.span = low - room, high - low + 2 * room

    def x(self, value: float) -> float:
        return NAMED + (value - self.low) / self.span * (svg.WIDTH - NAMED - 8)


def _anchor(scale: _Across, value: float) -> str:
    x = scale.x(value)
    return "start" if x < svg.WIDTH * 0.4 else "end" if x > svg.WIDTH * 0.75 else "middle"


def _whisker(one: ModelVersion, y: float, scale: _Across) -> list[str]:
    low, high = _bounds(one.evaluation)
    value = float(one.evaluation["value"])
    serves = one.status == "champion"
    colour = 2 if serves else 0
    return [
        svg.text(0, y + 4, one.name, kind="value" if serves else "tick"),
        svg.rect(scale.x(low), y - 1.5, max(scale.x(high) - scale.x(low), 1), 3, f"c{colour}", 0.5),
        svg.dot(scale.x(value), y, colour),
        svg.text(scale.x(value), y - 7, number(value, 4), "middle", "tiny"),
    ]


def _bounds(evaluation: Mapping[str, Any]) -> tuple[float, float]:
    value, interval = float(evaluation["value"]), evaluation.get("interval") or {}
    low, high = interval.get("low"), interval.get("high")
    return (value if low is None else float(low), value if high is None else float(high))


def _why(promotion: Mapping[str, Any]) -> str:
    by_hand = promotion.get("by_hand")
    if by_hand:
        return f"{by_hand['action']} by {by_hand['by']}: {by_hand['reason']}"
    return "its run promoted it"
