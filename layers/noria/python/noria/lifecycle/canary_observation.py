"""What a canary answered so far: to its share of live traffic, or to copies of it as a shadow."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from noria.aws.clients import client
from noria.aws.cloudwatch import VersionMetrics
from noria.core.lifecycle.canary import MEASURABLE, TrafficLike
from noria.core.lifecycle.replay import ReplayedAnswer, ReplayedTraffic
from noria.core.monitoring.answer_comparison import constant_answers, logged_values, score_psi
from noria.lifecycle.environment import parse_time
from noria.lifecycle.request_replay import (
    RequestReplay,
    inputs_of,
    lacking_sentence,
    recent_records,
    unlogged_fields,
)
from noria.lifecycle.stage import Stage

RECORDS = 2_000  # of the log, of which a canary with a tenth of the requests has about 200


@dataclass(frozen=True)
class Observed:
    """Both versions' traffic, what is wrong or worth telling, and what the next check must know."""

    new: TrafficLike
    old: TrafficLike
    complaints: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    carried: dict[str, Any] = field(default_factory=dict)


def observe_share(stage: Stage) -> Observed:
    """Read what both versions answered since the alias was weighed: their metrics and the log."""
    environment, (new, old) = stage.environment, _versions(stage)
    metrics = VersionMetrics(
        client("cloudwatch"), environment.namespace, environment.endpoint_function,
        environment.alias,
    )  # fmt: skip
    since, now = parse_time(stage.event.result("canary")["since"]), datetime.now(UTC)
    records = recent_records(stage, RECORDS, _stamp(since))
    values = logged_values(records, new), logged_values(records, old)
    return _observed(
        stage, metrics.traffic(new, since, now), metrics.traffic(old, since, now), values, {}
    )


def observe_copies(stage: Stage) -> Observed:
    """Ask both versions what was logged since the last check, and add that to what they answered.

    Each check keeps its answers in an object of its own, so that it can be repeated.
    """
    before, (new, old) = stage.event.result("canary"), _versions(stage)
    after = before.get("after", "")
    records = recent_records(stage, RECORDS, _stamp(parse_time(before["since"])))
    fresh = [record for record in records if _id(record) > after]
    rows = [row for row in map(inputs_of, fresh) if row]
    replay = RequestReplay.of(stage)
    document = {name: _documents(replay.ask(name, rows)) for name in (new, old)}
    stage.store.put_json(stage.run.key(f"shadow/{before['waited']:08.0f}.json"), document)
    parts = stage.store.get_all_json(stage.store.keys(stage.run.key("shadow/")))
    every = {
        name: [ReplayedAnswer(**one) for part in parts for one in part.get(name, [])]
        for name in (new, old)
    }
    values = tuple([one.value for one in every[name] if not one.detail] for name in (new, old))
    carried = {"after": max([after, *map(_id, fresh)])}
    traffic = {name: ReplayedTraffic(name, every[name]) for name in (new, old)}
    if lacking := unlogged_fields(stage, rows):  # answers to gaps are no answers to callers
        told = f"{lacking_sentence(lacking)}: scores are not compared"
        return Observed(traffic[new], traffic[old], (), (told,), carried)
    return _observed(stage, traffic[new], traffic[old], (values[0], values[1]), carried)


def _observed(
    stage: Stage,
    new: TrafficLike,
    old: TrafficLike,
    values: tuple[Sequence[Any], Sequence[Any]],
    carried: dict[str, Any],
) -> Observed:
    usual = float(stage.event.result("replay").get("most_common", 1.0))
    constant = constant_answers(*values, usual)
    told: tuple[str, ...] = ()
    if min(map(len, values)) >= MEASURABLE:
        psi = score_psi(*values)
        told = (f"the population stability index of both versions' scores is {psi:.3f}",)
    return Observed(new, old, (constant,) if constant else (), told, carried)


def _versions(stage: Stage) -> tuple[str, str]:
    publish = stage.event.result("publish")
    return str(publish["function_version"]), str(publish["previous"])


def _documents(answers: Sequence[ReplayedAnswer]) -> list[dict[str, Any]]:
    return [asdict(one) for one in answers]


def _id(record: dict[str, Any]) -> str:
    """A prediction's id, which sorts by time."""
    return str(record.get("prediction_id", ""))


def _stamp(moment: datetime) -> str:
    """A time as the log writes it, so that texts compare as times."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
