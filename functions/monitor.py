"""Monitor: compare live use with training, and what serves with the registry; join labels."""

from datetime import UTC, datetime
from typing import Any

from noria.aws.clients import client
from noria.aws.firehose import publish_metrics
from noria.aws.model_registry import Registry
from noria.aws.s3 import Store
from noria.common.verdict import Verdict
from noria.contracts import Problem
from noria.lifecycle.champion_watch import ChampionWatch
from noria.lifecycle.environment import Environment, parse_time
from noria.lifecycle.stage_logging import logged, note
from noria.monitoring.monitor_tick import observe, recorded


@logged
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Observe one tick; an event that is delivered twice publishes the same numbers again."""
    environment = Environment.read()
    store = Store(client("s3"), environment.bucket)
    at = parse_time(event["time"]) if "time" in event else datetime.now(UTC)
    champion = Registry(store).champion()
    if champion is None:
        note(decision="no_model")
        return _no_model().model_dump(mode="json")
    serving = ChampionWatch.open(store, environment).look(champion)
    seen = recorded(store, at)
    if seen is None:
        problem = Problem.model_validate_json(environment.problem)
        seen = observe(store, problem, champion, at)
    note(decision=seen.decision, rows_in=seen.predictions)
    metrics = {**seen.published(), **serving}
    publish_metrics(client("cloudwatch"), environment.namespace, metrics, seen.at)
    return seen.verdict().model_dump(mode="json")


def _no_model() -> Verdict:
    reason = "there is no champion to watch: start the state machine; nothing was published"
    return Verdict(decision="no_model", reasons=[reason])
