"""What a handler is started with: environment, event, time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from noria.lifecycle.environment import Environment, StageEvent, parse_time

EVENT = {
    "state": "TrainModel", "execution": "run-1", "started_at": "2013-04-01T12:00:00+02:00",
    "input": {}, "unheard_of": 1,
}  # fmt: skip


def event(**changes: Any) -> StageEvent:
    return StageEvent.model_validate({**EVENT, **changes})


def test_only_what_is_set_becomes_a_variable() -> None:
    variables = Environment(stack="flights", code_version="abc").to_variables()
    assert variables == {
        "NORIA_STACK": "flights", "NORIA_ALIAS": "live", "NORIA_CODE_VERSION": "abc",
    }  # fmt: skip


def test_what_is_not_ours_is_ignored() -> None:
    environment = Environment.read({"PATH": "/bin", "NORIA_OTHER": "x", "STACK": "y"})
    assert environment == Environment()


def test_the_process_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORIA_BUCKET", "rows")
    assert Environment.read().bucket == "rows"


@given(
    st.fixed_dictionaries({}, optional=dict.fromkeys(Environment.model_fields, st.text("aé{}\"'")))
)
def test_the_template_and_the_function_agree(fields: dict[str, str]) -> None:
    environment = Environment(**fields)
    read = Environment.read(environment.to_variables())
    assert read == environment.model_copy(update={"alias": environment.alias or "live"})


def test_an_event_has_what_earlier_states_stored() -> None:
    stage = event(input={"features": {"iteration": 2}, "train": None})
    assert stage.iteration == 2
    assert stage.result("features") == {"iteration": 2}
    assert stage.result("train") == {}
    assert stage.result("evaluate") == {}
    assert event().iteration == 0
    assert (stage.item, stage.token) == (None, None)


@pytest.mark.parametrize(
    ("given_input", "expected"),
    [
        ({}, datetime(2013, 4, 1, 10, tzinfo=UTC)),
        ({"as_of": "2013-03-01T00:00:00Z"}, datetime(2013, 3, 1, tzinfo=UTC)),
        ({"run": {"as_of": "2013-02-01T00:00:00"}, "as_of": "2013-03-01T00:00:00Z"},
         datetime(2013, 2, 1, tzinfo=UTC)),
        ({"run": {"as_of": None}}, datetime(2013, 4, 1, 10, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_the_logical_time_is_given_or_the_start(
    given_input: dict[str, Any], expected: datetime
) -> None:
    as_of = event(input=given_input).as_of
    assert as_of == expected
    assert as_of.utcoffset() == timedelta(0)


@pytest.mark.parametrize("missing", ["state", "execution", "started_at"])
def test_an_event_of_another_shape_is_refused(missing: str) -> None:
    with pytest.raises(ValidationError, match=missing):
        StageEvent.model_validate({k: v for k, v in EVENT.items() if k != missing})


@pytest.mark.parametrize(
    "text", ["2013-01-01T05:00:00Z", "2013-01-01T05:00:00", "2013-01-01T06:00:00+01:00",
             "20130101T050000Z"]
)  # fmt: skip
def test_times_are_utc(text: str) -> None:
    assert parse_time(text).isoformat() == "2013-01-01T05:00:00+00:00"


@pytest.mark.parametrize("text", ["", "yesterday", "2013-13-01", "1357016400"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid isoformat|month must be"):
        parse_time(text)
