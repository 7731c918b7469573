"""Recipe `calendar`: what timestamps say of the time of day, week and year, and between them."""

from collections.abc import Sequence

from noria.core.features.encoders import Step
from noria.core.features.recipes.base import Needs, Parts, Recipe, Turn, alone, pairs
from noria.core.features.time_encoders import Calendar, Elapsed, Span

MAXIMUM_SPANS = 3


def _parts(turn: Turn) -> Parts:
    times = turn.dataset.names("timestamp")
    return {"calendars": alone(times), "elapsed": (), "spans": pairs(times)[:MAXIMUM_SPANS]}


def _steps(parts: Parts, needs: Needs) -> Sequence[Step]:
    return [
        *(Calendar(name, cycles=needs.linear) for (name,) in parts.get("calendars", ())),
        *(Elapsed(name) for (name,) in parts["elapsed"]),
        *(Span(earlier, later) for earlier, later in parts.get("spans", ())),
    ]


RECIPE = Recipe(
    description="hour, minute of the day, weekday and day of the year of each timestamp, with "
    "their sine and cosine, and the time between timestamps",
    applies=lambda kinds, problem: "timestamp" in kinds.values(),
    parts=_parts,
    steps=_steps,
    uses="timestamp",
    told={"spans": "{1} - {0}"},
)
