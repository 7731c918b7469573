"""A schema that drifted is named column by column."""

from noria.core.cleansing.schema_drift import schema_drift

BEFORE = {"flights": {"dest": "string", "distance": "int64", "hour": "int64"}}


def test_each_change_is_named() -> None:
    now = {"flights": {"dest": "string", "distance": "double", "hours": "int64"}}
    assert schema_drift(BEFORE, now) == [
        "source 'flights': column 'hour' (int64) is gone; was it renamed to 'hours'?",
        "source 'flights': column 'hours' (int64) is new",
        "source 'flights': column 'distance' was int64 and is double",
    ]


def test_nothing_changed_and_new_sources_are_no_drift() -> None:
    assert schema_drift(BEFORE, BEFORE) == []
    assert schema_drift(BEFORE, {**BEFORE, "planes": {"tailnum": "string"}}) == []
    assert schema_drift({}, BEFORE) == []
    reordered = {"flights": dict(reversed(BEFORE["flights"].items()))}
    assert schema_drift(BEFORE, reordered) == []
