"""The demo fails if a part of its story did not happen."""

from infra.cli.demo_timeline import DemoMonth, alarm_name, missing
from infra.cli.run_records import RunRecord

ALARM = {"kind": "alarm", "alarm": "flight-delays-WatchNewRowsAlarm1A2B-XY", "reason": "28330"}
COMPARED = [{"state": "BeatsChampion", "decision": "wins", "reasons": [], "evidence": {}}]


def month(*runs: RunRecord) -> DemoMonth:
    return DemoMonth(4, "v1", 0.7, 0.6, list(runs))


def test_a_whole_story_lacks_nothing() -> None:
    promoted = RunRecord("r", "Promote", cause=ALARM, decisions=COMPARED)
    skipped = RunRecord("s", "Skipped", cause=ALARM)
    assert missing([month(promoted, skipped)]) == []


def test_what_did_not_happen_is_named() -> None:
    by_person = RunRecord("r", "Promote", decisions=COMPARED)
    assert "no alarm started the machine" in missing([month(by_person)])
    assert "no alarm started the machine" in missing([month()])
    halted = RunRecord("r", "HaltNotEffective", cause=ALARM)
    assert "no challenger was compared with the champion" in missing([month(halted)])
    failed = RunRecord("r", "Failed", cause=ALARM)
    assert "a run failed" in missing([month(failed)])


def test_alarms_are_named_as_people_know_them() -> None:
    assert alarm_name(ALARM["alarm"]) == "NewRows"
    assert alarm_name("something-else") == "something-else"
