"""What the demo's months brought, and whether its story is complete."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from infra.cli.run_records import RunRecord
from noria.errors import NoriaError


class StoryError(NoriaError):
    """Something that the demo is about did not happen."""


@dataclass
class DemoMonth:
    """What one month of live use brought."""

    number: int
    served_by: str
    with_retraining: float
    without: float
    runs: list[RunRecord] = field(default_factory=list)

    @property
    def turns(self) -> list[RunRecord]:
        """The runs that were admitted."""
        return [run for run in self.runs if run.ending != "Skipped"]


def alarm_name(alarm: str) -> str:
    """An alarm's name without its stack's prefix and CDK's suffix."""
    found = re.search(r"Watch(.+?)Alarm", alarm)
    return found[1] if found else alarm


def missing(months: Sequence[DemoMonth]) -> list[str]:
    """What the demo is about and did not happen."""
    turns = [turn for month in months for turn in month.turns]
    by_alarm = [turn for turn in turns if turn.cause.get("kind") == "alarm"]
    compared = [turn for turn in by_alarm if turn.decision("BeatsChampion") is not None]
    promoted = [turn for turn in by_alarm if turn.ending == "Promote"]
    happened = {
        "no alarm started the machine": by_alarm,
        "no challenger was compared with the champion": compared,
        "no challenger was promoted": promoted,
        "a run failed": not [turn for turn in turns if not turn.as_meant],
    }
    return [what for what, happening in happened.items() if not happening]
