"""Requests asked again of versions of the endpoint: before a canary, or beside live traffic."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from noria.aws.clients import client
from noria.aws.function_versions import FunctionVersions
from noria.aws.latest_records import latest_records
from noria.common.messages import comma_list
from noria.common.replay_event import ANSWERS, REPLAY, ROWS
from noria.common.verdict import Verdict
from noria.core.lifecycle.replay import (
    FAILED,
    ReplayedAnswer,
    ReplayedTraffic,
    departures_of,
    judge_replay,
    most_common_share,
)
from noria.core.model.signature import Signature
from noria.core.monitoring.answer_comparison import compare_answers
from noria.lifecycle.stage import Stage

LOG = "predictions/"
MOST_ROWS = 1_000
CHUNK_ROWS, CHUNK_BYTES = 100, 4_000_000  # of an invocation, which takes 6 MB
FIRST_ROWS = 10  # of the first one, which tells whether there are answers at all
SECONDS = 150  # for one version, after which what has been answered is judged

Row = Mapping[str, Any]


class RequestReplay:
    """Asks versions of a function row by row."""

    def __init__(
        self, versions: FunctionVersions, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._versions, self._now = versions, now

    @classmethod
    def of(cls, stage: Stage) -> "RequestReplay":
        """The endpoint's versions."""
        return cls(FunctionVersions(client("lambda"), stage.environment.endpoint_function))

    def ask(self, version: str, rows: Sequence[Row]) -> list[ReplayedAnswer]:
        """Ask a version for each row; the few that failed once more: a service may have been away.

        The answers are those of the first rows where time runs out, or where all of a chunk fail.
        """
        answers = self._answers(version, rows)
        failed = [at for at, one in enumerate(answers) if one.status >= FAILED][:CHUNK_ROWS]
        again = self._answers(version, [rows[at] for at in failed])
        for at, answer in zip(failed, again, strict=False):
            answers[at] = answer
        return answers

    def _answers(self, version: str, rows: Sequence[Row]) -> list[ReplayedAnswer]:
        answers: list[ReplayedAnswer] = []
        until = self._now() + SECONDS
        while len(answers) < len(rows) and self._now() < until:
            part = chunk(rows[len(answers) :], CHUNK_ROWS if answers else FIRST_ROWS)
            invoked = self._versions.invoke(version, {REPLAY: {ROWS: part}})
            if invoked.error:
                found = [ReplayedAnswer(FAILED, detail=invoked.error)] * len(part)
            else:
                found = [ReplayedAnswer(**one) for one in invoked.document[ANSWERS]]
            answers += found
            if all(one.status >= FAILED for one in found):
                break  # it answers nothing: asking on would only take time
        return answers


def chunk(rows: Sequence[Row], most: int) -> list[Row]:
    """Take up to `most` of the first rows, as many as one invocation holds; at least one."""
    taken, size = [rows[0]], len(json.dumps(rows[0]))
    for row in rows[1:most]:
        size += len(json.dumps(row))
        if size > CHUNK_BYTES:
            break
        taken.append(row)
    return taken


@dataclass(frozen=True)
class Rehearsed:
    """What a replay decided, and the share of the answer that was given most often."""

    verdict: Verdict
    most_common: float


def rehearse(stage: Stage, replay: RequestReplay) -> Rehearsed:
    """Ask a published version what the holdout and the log hold, before it gets live traffic."""
    publish = stage.event.result("publish")
    new, old = str(publish["function_version"]), str(publish["previous"])
    held = stage.store.get_json(stage.holdout_requests_key, {"rows": [], "answers": []})
    answers = replay.ask(new, held["rows"])
    departures = departures_of(answers, held["answers"])
    rows, asked = held["rows"], "rows of the holdout"
    compared = _is_comparable(stage)
    logged = logged_requests(stage) if compared else []
    lacking = unlogged_fields(stage, logged)
    if logged and not lacking:
        rows, asked = logged, "logged requests"
        answers = replay.ask(new, rows)
    before = replay.ask(old, rows) if compared else None
    verdict = judge_replay(
        ReplayedTraffic(new, answers),
        None if before is None else ReplayedTraffic(old, before),
        None if before is None else compare_answers(answers, before),
        departures,
        asked,
    )
    if logged and lacking:
        told = f"{lacking_sentence(lacking)}: rows of the holdout stand in for them"
        verdict = verdict.model_copy(update={"reasons": [*verdict.reasons, told]})
    return Rehearsed(verdict, most_common_share([one.value for one in answers]))


def logged_requests(stage: Stage) -> list[Row]:
    """The latest logged requests, without windows that only the champion looked up."""
    found = [inputs_of(record) for record in recent_records(stage, MOST_ROWS)]
    own = _signature(stage, stage.version)
    champion = stage.registry.champion()
    served = _signature(stage, champion.version) if champion else None
    looked_up = set(served.history.names) if served and served.history else set()
    dropped = looked_up - own.known if own else set()
    return [{name: row[name] for name in row if name not in dropped} for row in found if row]


def unlogged_fields(stage: Stage, rows: Sequence[Row]) -> list[str]:
    """The fields that the new version reads and most logged requests lack.

    What a model does not read is not logged: without it the next one would be asked with gaps.
    """
    own = _signature(stage, stage.version)
    names = [field.name for field in own.asked] if own else []
    return [name for name in names if sum(name in row for row in rows) * 2 < len(rows)]


def lacking_sentence(fields: Sequence[str]) -> str:
    """Say which fields the log does not have."""
    return (
        f"most logged requests lack {comma_list(fields, 3)}, as what no champion reads is not kept"
    )


def recent_records(stage: Stage, most: int, since: str = "") -> list[dict[str, Any]]:
    """The latest records of the predictions' log, by the clock or by the run's logical time."""
    moments = [datetime.now(UTC), stage.event.as_of]
    return latest_records(stage.store, LOG, moments, most, since)


def inputs_of(record: Mapping[str, Any]) -> Row:
    """What was asked, by a record of the log."""
    found = record.get("inputs")
    return found if isinstance(found, dict) else {}


def _is_comparable(stage: Stage) -> bool:
    """Whether a champion serves that answers the same question."""
    champion = stage.registry.champion()
    if champion is None:
        return False
    one, other = (_signature(stage, name) for name in (stage.version, champion.version))
    if one is None or other is None:
        return False
    return (one.task, one.target, one.classes) == (other.task, other.target, other.classes)


def _signature(stage: Stage, version: str) -> Signature | None:
    """A version's signature; whether it was altered is the endpoint's to say."""
    found = stage.store.get_json(f"models/{version}/signature.json", None)
    return None if found is None else Signature.model_validate(found)
