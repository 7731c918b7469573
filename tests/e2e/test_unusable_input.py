"""Whatever is dropped in: a named ending with the remedy, and the champion goes on serving."""

import pandas as pd
import pytest

from tests.e2e.stack import Stack
from tests.support import data_sets

pytestmark = pytest.mark.slow


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode()


PATIENTS = data_sets.diabetes()["patients"]
BIOPSIES = data_sets.cancer()["biopsies"]
EXTREMES = data_sets.cancer()["extremes"]

FILES = {
    "empty file": ("patients", b"", "rows.csv", "empty"),
    "header only": ("patients", b"age,sex,progression\n", "rows.csv", "row"),
    "not what its name says": ("patients", b"%PDF-1.7 binary", "rows.csv", "PDF"),
    "parquet named csv": ("patients", b"PAR1" + b"\0" * 50, "rows.csv", "arquet"),
    "html page": ("patients", b"<!doctype html><html>404</html>", "rows.csv", "HTML"),
    "not utf-8": ("patients", b"age,progression\n\xff\xfe\xfa,1\n", "rows.csv", "UTF-8"),
    "ragged rows": ("patients", b"age,progression\n1,2\n1,2,3\n", "rows.csv", "line"),
    "target column missing": (
        "patients", _csv(PATIENTS.drop(columns="progression")), "rows.csv", "progression",
    ),
    "target all missing": (
        "patients", _csv(PATIENTS.assign(progression=None)), "rows.csv", "target is missing",
    ),
    "target is text": (
        "patients", _csv(PATIENTS.assign(progression="much")), "rows.csv", "progression",
    ),
    "single class": ("biopsies", _csv(BIOPSIES.assign(malignant=True)), "rows.csv", "class"),
    "duplicate keys": (
        "extremes",
        _csv(pd.concat([EXTREMES, EXTREMES.head(3).assign(worst_radius=1.0)])),
        "rows.csv",
        "patient",
    ),
    "join column missing": (
        "extremes", _csv(EXTREMES.rename(columns={"patient": "pateint"})), "rows.csv", "pateint",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES, ids=str)
def test_bad_file_halts_with_the_remedy(stacks: dict[str, Stack], case: str) -> None:
    source, content, name, said = FILES[case]
    stack = stacks["diabetes" if source == "patients" else "cancer"]
    before = stack.champion()
    with stack.instead(source, content, name):
        ended = stack.run()
    assert ended.ending == "HaltBadData", ended.reasons
    assert ended.status == "SUCCEEDED"
    assert said in ended.reasons
    assert stack.champion() == before
    assert stack.json("registry/lease.json")["holder"] is None


def test_column_that_is_all_missing_is_dropped_and_named(diabetes: Stack) -> None:
    with diabetes.instead("patients", _csv(PATIENTS.assign(bp=None))):
        ended = diabetes.run()
    assert ended.ending in ("Promote", "KeepChampion", "HaltNotEffective"), ended.reasons
    assert any("'bp'" in reason for reason in ended.decision("Transform")["reasons"])


def test_rows_that_break_a_rule_are_quarantined(diabetes: Stack) -> None:
    broken = PATIENTS.copy()
    broken.loc[:4, "sex"] = "unknown"
    broken.loc[5:9, "bmi"] = 400.0
    with diabetes.instead("patients", _csv(broken)):
        ended = diabetes.run()
    evidence = ended.decision("Transform")["evidence"]
    assert evidence["rows"] == len(PATIENTS)
    assert evidence["quarantined"] == 10
    assert evidence["accepted"] == len(PATIENTS) - 10
