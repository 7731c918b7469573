"""A stack in live use, as plots: requests, latency, drift, quality, and what retraining came to."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup

from infra.cli.run_list import logged_runs
from infra.cli.run_records import Bucket
from infra.console.endpoint_metrics import Points, read_metrics
from infra.console.plots import banded, strip
from infra.console.stacks import ShownStack
from noria.common.formatting import metric
from noria.contracts import Problem
from noria.core.reporting import charts

MONITORING = "monitoring/"
MOST_TICKS = 120  # that are read, the latest
MOST_COLUMNS = 12  # whose drift is shown
FOLLOWED = 4  # features whose drift is drawn over time
MOST_RUNS = 60
PARALLEL_READS = 16
#: How far back the endpoint's metrics reach, and the seconds of a point.
SPANS = {"3h": (timedelta(hours=3), 60), "1d": (timedelta(days=1), 900),
         "14d": (timedelta(days=14), 3600 * 3)}  # fmt: skip
SPAN_NAMES = {"3h": "3 hours", "1d": "a day", "14d": "two weeks"}
Tick = Mapping[str, Any]


@dataclass(frozen=True)
class Plot:
    """A picture with its title, and what else there is to say; without a picture, why not."""

    title: str
    picture: Markup
    note: str = ""
    empty: str = ""


def plots_of(stack: ShownStack, problem: Problem | None, span: str) -> list[Plot]:
    """All plots of a stack; those of the endpoint for a span of SPANS."""
    ticks = read_ticks(stack.bucket)
    return [
        *endpoint_plots(stack, span),
        *drift_plots(ticks, problem),
        quality_plot(ticks, problem),
        retraining_plot(logged_runs(stack.bucket)),
    ]


def read_ticks(bucket: Bucket) -> list[Tick]:
    """What the monitor saw, the oldest first."""
    keys = [key for key in bucket.keys(MONITORING) if not key.startswith(f"{MONITORING}_")]
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        found = list(pool.map(bucket.json, sorted(keys)[-MOST_TICKS:]))
    return [one for one in found if one]


def endpoint_plots(stack: ShownStack, span: str) -> list[Plot]:
    """Requests, by how they ended, and their times."""
    back, period = SPANS[span]
    found = read_metrics(stack, back, period)
    none = f"no requests in the last {SPAN_NAMES[span].removeprefix('a ')}"
    few = none if found.is_empty else "too few requests to draw their times"
    where, note = "at API Gateway", ""
    if not found.by_gateway:
        where = "in the function"
        note = "Failed are those that the function did not answer; a refusal is an answer."
    counted = f"requests in {duration_text(period)}"
    return [
        Plot("Requests", charts.lines("Requests", found.counts, counted), note, none),
        Plot("Latency", charts.lines("Latency", found.times, f"milliseconds {where}"), "", few),
    ]


def drift_plots(ticks: Sequence[Tick], problem: Problem | None) -> list[Plot]:
    """How far live use has moved from training: over time, and by feature at the last measure."""
    limit = problem.monitoring.drift if problem else 0.2
    known = f"monitoring.drift {limit:g}"
    measured = [tick for tick in ticks if tick.get("drift") is not None]
    overall = {
        "inputs": _series(measured, lambda tick: tick.get("drift")),
        "predictions": _series(measured, lambda tick: tick.get("prediction_drift")),
        known: _series(measured, lambda tick: limit),
    }
    none = "the monitor has not measured drift yet: it waits for monitoring.minimum_predictions"
    return [
        Plot("Drift", charts.lines("Drift", overall, "population stability index"), "", none),
        *([_by_feature(measured, limit, known), *_followed(measured)] if measured else []),
    ]


def _by_feature(measured: Sequence[Tick], limit: float, known: str) -> Plot:
    last = measured[-1]
    columns = sorted(last.get("columns", {}).items(), key=lambda item: -item[1])
    left_out = len(columns) - MOST_COLUMNS
    note = (
        f"Measured {_moment(last)} on {last['compared']:,} predictions of {last['model_version']}."
    )
    more = f" {left_out} features with less drift are not shown." if left_out > 0 else ""
    return Plot(
        "Drift by feature",
        charts.bars(
            "Drift by feature",
            [(str(name), float(value)) for name, value in columns[:MOST_COLUMNS]],
            "population stability index",
            limit=(limit, known),
        ),
        note + more,
        "the last measure has no features",
    )


def _followed(measured: Sequence[Tick]) -> list[Plot]:
    """Those features over time that drift most now."""
    columns = measured[-1].get("columns", {})
    names = sorted(columns, key=lambda name: -float(columns[name]))[:FOLLOWED]
    series = {name: _series(measured, _of_column(name)) for name in names}
    picture = charts.lines("Features that drift most", series, "population stability index")
    return [Plot("Features that drift most", picture)] if picture else []


def _of_column(name: str) -> Callable[[Tick], Any]:
    return lambda tick: tick.get("columns", {}).get(name)


def quality_plot(ticks: Sequence[Tick], problem: Problem | None) -> Plot:
    """The objective's metric on predictions whose outcome is known, with its interval."""
    known = [tick for tick in ticks if tick.get("quality") is not None]
    name = metric(problem.objective.metric) if problem else "the metric"
    floor = problem.monitoring.quality_floor if problem else None
    picture = banded(
        "Quality",
        [(_seconds(tick), float(tick["quality"])) for tick in known],
        [(_seconds(tick), tick.get("quality_low"), tick.get("quality_high")) for tick in known],
        f"{name} of live predictions",
        limit=None if floor is None else (floor, f"monitoring.quality_floor {floor:g}"),
    )
    labels = f"{known[-1]['labels']:,} labels came with the last one." if known else ""
    return Plot("Quality", picture, labels, "no labels yet, or too few: send them to /labels")


def retraining_plot(entries: Sequence[Mapping[str, Any]]) -> Plot:
    """What training runs came to, by their logical time; who started them by colour."""
    told = [
        (
            _epoch(entry["as_of"]),
            str(entry["ending"]),
            "alarm" if entry.get("automatic") else "person",
        )
        for entry in entries[-MOST_RUNS:]
        if entry.get("ending") and entry.get("as_of")
    ]
    return Plot(
        "Retraining decisions",
        strip("Retraining decisions", told, ("person", "alarm")),
        "Runs that Admit skips are not among them.",
        "no run has ended yet",
    )


def duration_text(seconds: int) -> str:
    """A metric's period for people."""
    return {60: "a minute", 900: "15 minutes"}.get(seconds, f"{seconds // 3600} hours")


def _series(ticks: Sequence[Tick], value: Callable[[Tick], Any]) -> Points:
    return [(_seconds(tick), None if value(tick) is None else float(value(tick))) for tick in ticks]


def _seconds(tick: Tick) -> float:
    return _epoch(tick["at"])


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _moment(tick: Tick) -> str:
    return f"{datetime.fromisoformat(tick['at']):%Y-%m-%d at %H:%M} UTC"
