"""The demo's story: a first turn on what has accumulated, then month after month of live use."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from infra.cli.demo_data import write_flights, write_months, write_weather
from infra.cli.demo_timeline import DemoMonth, StoryError, alarm_name
from infra.cli.demo_traffic import DemoTraffic, make_traffic
from infra.cli.local_session import LocalStack
from infra.cli.progress import Display
from infra.cli.run_records import RunRecord, save_report
from noria.contracts import Problem
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.row_reader import to_columns
from noria.core.model.signature import Signature
from noria.core.statistics import metrics

YEAR = 2013
ACCUMULATED = (1, 2, 3)
FLIGHTS_A_MONTH = 6_000  # a sample of about 28,000, to keep the demo quick
SETTLED = timedelta(hours=1)
METRICS = ("Drift", "Quality", "NewRows", "ModelAge", "Predictions")


class Story:
    """One demo in one stack."""

    def __init__(self, stack: LocalStack, problem: Problem, folder: Path, console: Console) -> None:
        self.stack, self.problem, self.folder, self.console = stack, problem, folder, console
        self.endpoint = stack.access.endpoint()
        self.months: list[DemoMonth] = []
        self.reports: list[Path] = []
        self.champions: dict[str, str] = {}  # versions, with the runs that trained them

    def first_turn(self) -> RunRecord:
        """Drop the accumulated data in and run the machine once, from collection to an endpoint."""
        self._say("January to March have accumulated: one execution, from the data to an endpoint")
        self._files = write_flights(self.folder, ACCUMULATED)
        for source, files in self._files.items():
            self.stack.drop(source, files)
        as_of = {"as_of": _first_of(ACCUMULATED[-1] + 1).isoformat()}
        record = self.stack.run(as_of, Display(self.console))
        self._ended(record)
        if record.ending != "Promote" or record.champion is None:
            raise StoryError(f"the first execution ended at {record.ending}, not at Promote")
        self._first = self._model(record.champion["version"])
        return record

    def sample(self) -> dict[str, Any]:
        """A request that a caller could make."""
        rows = self.stack.bucket.json(f"models/{next(reversed(self.champions))}/sample.json")
        return {"rows": rows[:1]}

    def month(self, number: int) -> DemoMonth:
        """Live traffic, its labels, the new data, and what the clock's next tick makes of them."""
        name = datetime(YEAR, number, 1, tzinfo=UTC).strftime("%B")
        self._say(f"{name}: live traffic")
        model = self.endpoint.get("/model")
        flights = write_months(self.folder, [number])
        weather = write_weather(self.folder, number)
        traffic = self._traffic(flights[0], weather, model["inputs"], number)
        month = self._live(number, str(model["version"]), traffic)
        self.months.append(month)
        self.stack.drop(self.problem.primary.name, flights)
        self.stack.drop("weather", [weather])
        self._tick(month, _first_of(number + 1))
        return month

    def _traffic(
        self, flights: Path, weather: Path, inputs: Sequence[dict[str, Any]], number: int
    ) -> DemoTraffic:
        files = {name: paths[0] for name, paths in self._files.items()}
        files |= {self.problem.primary.name: flights, "weather": weather}
        return make_traffic(self.problem, files, inputs, most=FLIGHTS_A_MONTH, seed=number)

    def _live(self, number: int, version: str, traffic: DemoTraffic) -> DemoMonth:
        """Ask for predictions, then tell the endpoint what came true."""
        answers = self.endpoint.predict(traffic.rows)
        signature = self._first.signature
        codes = {label: code for code, label in enumerate(signature.classes)}
        known = [index for index, label in enumerate(traffic.labels) if label is not None]
        truth = np.array([codes[str(traffic.labels[index])] for index in known])
        labels = [
            {"id": answers[index]["id"], "value": signature.label(code)}
            for index, code in zip(known, truth.tolist(), strict=True)
        ]
        self.endpoint.label(labels)
        self.stack.cloud.settle()
        live = np.array([answers[index]["probability"] for index in known])
        metric, measure = self.problem.objective.metric, self.problem.objective.measure
        rows = [traffic.rows[i] for i in known]
        still = self._first.score(to_columns(rows, signature))
        month = DemoMonth(
            number,
            version,
            metrics.score(measure, truth, live),
            metrics.score(measure, truth, still),
        )
        self._line(
            f"  {len(answers):,} predictions by {version}, {len(known):,} labels: "
            f"{metric} {month.with_retraining:.3f}, the first champion alone {month.without:.3f}"
        )
        return month

    def _tick(self, month: DemoMonth, at: datetime) -> None:
        """Let the clock move: the schedule fires the monitor, alarms are judged, runs begin."""
        tick = self.stack.cloud.tick(at)
        for failure in tick.failures:
            raise StoryError(f"{failure.target} failed: {failure.error}: {failure.message}")
        self._line(f"  the monitor published {self._published(at)}")
        for alarm in tick.alarms:
            if "ALARM" in (alarm.old, alarm.new):
                change = f"{alarm.old} → {alarm.new}"
                self._line(f"  alarm {alarm_name(alarm.name)}: {change}: {alarm.reason}")
        for arn in tick.started:
            self._line(f"[bold]EventBridge started the machine[/bold] ({arn.rsplit(':', 1)[1]})")
            record = self.stack.follow(arn, Display(self.console))
            month.runs.append(record)
            self._ended(record)
        self.stack.cloud.tick(at + SETTLED)

    def _published(self, at: datetime) -> str:
        """What CloudWatch has from the monitor for this moment."""
        namespace = f"Noria/{self.stack.access.name}"
        queries = [
            {
                "Id": name.lower(),
                "Label": name,
                "MetricStat": {
                    "Metric": {"Namespace": namespace, "MetricName": name},
                    "Period": 60,
                    "Stat": "Maximum",
                },
            }
            for name in METRICS
        ]
        answer = self.stack.access.client("cloudwatch").get_metric_data(
            MetricDataQueries=queries, StartTime=at, EndTime=at + SETTLED
        )
        values = [(item["Label"], item["Values"]) for item in answer["MetricDataResults"]]
        return ", ".join(f"{name} {found[0]:.5g}" for name, found in values if found)

    def _ended(self, record: RunRecord) -> None:
        if record.champion:
            self.champions[record.champion["version"]] = record.champion["run_id"]
        report = save_report(self.stack.bucket, self.problem.name, record.run_id)
        if report and record.ending != "Skipped":
            self.reports.append(report)
        if record.cause.get("kind") == "alarm":
            self._line(
                f"  cause: alarm {alarm_name(record.cause['alarm'])}: {record.cause['reason']}"
            )
        self._line(f"  [bold]{record.ending}[/bold]: {'; '.join(record.reasons)}")

    def _model(self, version: str) -> OnnxModel:
        """A version as it was stored."""
        folder = f"models/{version}"
        onnx, signature = (
            self.stack.bucket.get(f"{folder}/{name}") for name in ("model.onnx", "signature.json")
        )
        if onnx is None or signature is None:
            raise StoryError(f"{folder} is not complete")
        return OnnxModel(onnx, Signature.model_validate_json(signature))

    def _say(self, text: str) -> None:
        self.console.print()
        self._line(f"[bold]{text}[/bold]")

    def _line(self, text: str) -> None:
        self.console.print(text, highlight=False, soft_wrap=True)


def _first_of(month: int) -> datetime:
    return datetime(YEAR, month, 1, tzinfo=UTC)
