"""The log of runs, and a run's own folder."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from noria.aws.run_folder import RunFolder
from noria.aws.run_log import KEPT, KEY, RunLog
from noria.aws.s3 import CONTENDED, Store
from noria.errors import RegistryError

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def log(bucket: Store) -> RunLog:
    return RunLog(bucket)


def test_facts_of_a_run_come_together(log: RunLog) -> None:
    assert log.entries() == []
    log.record("one", as_of=NOW, automatic=True)
    log.record("two", as_of=NOW, automatic=False)
    log.record("one", ending="Promote")
    log.record("one", ending="Promote")
    assert log.entries() == [
        {"run_id": "one", "as_of": NOW.isoformat(), "automatic": True, "ending": "Promote"},
        {"run_id": "two", "as_of": NOW.isoformat(), "automatic": False},
    ]


def test_only_the_latest_runs_are_kept(bucket: Store, log: RunLog) -> None:
    bucket.put_json(KEY, [{"run_id": str(number)} for number in range(KEPT)])
    log.record("new", as_of=NOW)
    entries = log.entries()
    assert len(entries) == KEPT
    assert (entries[0]["run_id"], entries[-1]["run_id"]) == ("1", "new")


def test_an_entry_written_in_between_stays(bucket: Store, log: RunLog, s3: Any) -> None:
    log.record("one", as_of=NOW)

    def interfere(name: str) -> None:
        s3.after = lambda name: None
        RunLog(bucket).record("rival", as_of=NOW)

    s3.after = interfere
    log.record("two", as_of=NOW)
    assert [entry["run_id"] for entry in log.entries()] == ["one", "rival", "two"]


def test_a_record_reads_what_its_write_is_compared_with(log: RunLog, s3: Any) -> None:
    log.record("one", as_of=NOW)
    calls: list[str] = []
    s3.after = calls.append
    log.record("two", as_of=NOW)
    assert calls == ["get_object", "put_object"]


def test_no_racer_loses_its_entry(log: RunLog) -> None:
    names = [f"run-{number}" for number in range(12)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda name: log.record(name, as_of=NOW), names))
    assert sorted(entry["run_id"] for entry in log.entries()) == sorted(names)


def test_a_lost_reply_records_once(log: RunLog, s3: Any) -> None:
    s3.repeats = True
    log.record("one", as_of=NOW)
    log.record("one", ending="Failed")
    assert [entry["run_id"] for entry in log.entries()] == ["one"]


def test_a_log_that_never_rests_is_told(bucket: Store, log: RunLog, s3: Any) -> None:
    log.record("one", as_of=NOW)
    writes = 0

    def disturb(name: str) -> None:
        nonlocal writes
        if name == "get_object":
            writes += 1
            bucket.put_json(KEY, [{"run_id": f"rival-{writes}"}])

    s3.after = disturb
    with pytest.raises(RegistryError, match=f"'{KEY}' kept changing while run 'two'"):
        log.record("two", as_of=NOW)
    assert writes >= CONTENDED.attempts


def test_verdicts_are_in_the_order_of_the_machine(bucket: Store) -> None:
    run = RunFolder(bucket, "one")
    for state, turn in (("EvaluateModel", 2), ("EvaluateModel", 1), ("TrainModel", 2),
                        ("Transform", 0), ("Admit", 0), ("Analyse", 0)):  # fmt: skip
        run.record_verdict(state, turn, {"decision": "x", "reasons": [], "evidence": {}})
    found = [(entry["state"], entry["iteration"]) for entry in run.verdicts()]
    assert found == [("Admit", 0), ("Transform", 0), ("Analyse", 0), ("EvaluateModel", 1),
                     ("TrainModel", 2), ("EvaluateModel", 2)]  # fmt: skip
    assert RunFolder(bucket, "on").verdicts() == []


def test_an_ending_is_recorded_once(bucket: Store) -> None:
    run = RunFolder(bucket, "one")
    assert run.finish({"ending": "Promote"})
    assert not run.finish({"ending": "Failed"})
    assert bucket.get_json("runs/one/ending.json") == {"ending": "Promote"}


def test_experiments_are_those_of_every_turn(bucket: Store) -> None:
    run = RunFolder(bucket, "one")
    for turn in (1, 2):
        for rung in (1, 2):
            trial = {"iteration": turn, "recipe": "text", "candidate": "linear", "rung": rung}
            bucket.put_json(run.iteration_key(turn, f"explore/{rung}.text.linear.json"), trial)
        bucket.put_json(run.iteration_key(turn, "plan.json"), {"not": "an experiment"})
    found = [(one["iteration"], one["rung"]) for one in run.experiments()]
    assert found == [(1, 2), (2, 2)]


def test_settings_that_were_trials_are_experiments_of_their_own(bucket: Store) -> None:
    """GIVEN a setting on both rungs and the usual one on the first THEN each is told once."""
    run = RunFolder(bucket, "one")
    for name in ("1.text.linear", "1.text.linear.more-shrinkage", "2.text.linear.more-shrinkage"):
        trial = {"iteration": 1, "recipe": "text", "candidate": "linear", "rung": int(name[0])}
        bucket.put_json(run.iteration_key(1, f"explore/{name}.json"), trial | {"trial": name})
    found = {one["trial"] for one in run.experiments()}
    assert found == {"1.text.linear", "2.text.linear.more-shrinkage"}
