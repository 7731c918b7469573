"""Where moto's CloudWatch answers differently from AWS."""

import re
from types import SimpleNamespace
from typing import Any

from infra.local.cloudwatch.alarm_evaluation import statistic
from infra.local.cloudwatch.alarms import Alarms
from infra.local.patching import Patches

PERCENTILE = re.compile(r"p\d{1,2}(\.\d+)?|p100")


def patch(patches: Patches, alarms: Alarms) -> None:
    """Let alarms act when their state is set, and metrics answer with percentiles."""
    from moto.cloudwatch import models

    _start_without_data(patches, models)
    _act_on_set_state(patches, models, alarms)
    _compute_percentiles(patches, models)
    _keep_namespaces_apart(patches, models)


def _start_without_data(patches: Patches, models: Any) -> None:
    # An alarm is born without data, not OK.
    def born(original: Any) -> Any:
        def init(self: Any, *args: Any, **kwargs: Any) -> None:
            original(self, *args, **kwargs)
            self.state_value = "INSUFFICIENT_DATA"

        return init

    patches.put(models.Alarm, "__init__", born)


def _act_on_set_state(patches: Patches, models: Any, alarms: Alarms) -> None:
    # SetAlarmState acts on AWS: the event goes out and the actions run.
    def set_alarm_state(original: Any) -> Any:
        def change(self: Any, alarm_name: str, reason: str, reason_data: str, state: str) -> None:
            alarm = self.alarms.get(alarm_name)
            before = alarms.snapshot(alarm) if alarm else None
            original(self, alarm_name, reason, reason_data, state)
            if before and before["value"] != state:
                alarms.on_transition(alarm, before)

        return change

    patches.put(models.CloudWatchBackend, "set_alarm_state", set_alarm_state)


def _compute_percentiles(patches: Patches, models: Any) -> None:
    # moto answers None, and then fails, when metrics are asked for percentiles.
    def statistics(original: Any) -> Any:
        def of_type(self: Any, stat: str) -> Any:
            if PERCENTILE.fullmatch(stat):
                return statistic(self.metric_data, stat)
            return original(self, stat)

        return of_type

    patches.put(models.Statistics, "get_statistics_for_type", statistics)


def _keep_namespaces_apart(patches: Patches, models: Any) -> None:
    # moto takes metrics of the asked name and dimensions from every namespace: from other stacks.
    def by_namespace(original: Any) -> Any:
        def answer(self: Any, queries: list[dict[str, Any]], *window: Any, **more: Any) -> Any:
            if not all("MetricStat" in query for query in queries):
                return original(self, queries, *window, **more)
            every, found = self.get_all_metrics(), []
            for query in queries:
                wanted = query["MetricStat"]["Metric"]["Namespace"]
                own = [metric for metric in every if metric.namespace == wanted]
                view = SimpleNamespace(get_all_metrics=lambda own=own: own)
                found += original(view, [query], *window, **more)
            return found

        return answer

    patches.put(models.CloudWatchBackend, "get_metric_data", by_namespace)
