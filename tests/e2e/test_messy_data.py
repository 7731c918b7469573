"""A table as people keep it, through the whole machine: cleansed, trained on, and asked about."""

import io

import numpy as np
import pandas as pd
import pytest

from tests.e2e.stack import Stack
from tests.support import data_sets

pytestmark = pytest.mark.slow
PATIENTS = data_sets.diabetes()["patients"]
RULES = {
    "seen": {"format": ["%d.%m.%Y", "ISO8601"], "timezone": "Europe/Berlin"},
    "bmi": {"type": "float", "minimum": 10, "maximum": 60, "missing_values": [-1],
            "missing": "median"},
    "waist": {"unit": "cm", "minimum": 30},
    "sex": {"allowed": ["female", "male"], "aliases": {"male": ["m"], "female": ["w"]}},
}  # fmt: skip


def messy() -> pd.DataFrame:
    """The patients with four ways of writing sex, two units, two date formats and marks."""
    frame = PATIENTS.copy()
    rows = np.arange(len(frame))
    frame["sex"] = np.where(rows % 3 == 0, frame["sex"].str.upper() + " ", frame["sex"])
    frame.loc[rows % 5 == 0, "sex"] = PATIENTS["sex"].map({"male": "M", "female": "w"})
    waist = PATIENTS["bmi"] * 3.4
    in_inches = (waist / 2.54).round(3).astype(str) + " in"
    frame["waist"] = np.where(rows % 2 == 0, in_inches, waist.round(2).astype(str))
    days = pd.Timestamp("2023-01-01") + pd.to_timedelta(rows, unit="D")
    frame["seen"] = np.where(rows % 4 == 0, days.strftime("%d.%m.%Y"), days.strftime("%Y-%m-%d"))
    frame.loc[rows % 11 == 0, "bmi"] = -1
    frame.loc[3, "waist"] = "90 kg"
    frame.loc[8, "waist"] = "2 in"
    return frame


def test_messy_table_is_cleansed_and_served(diabetes: Stack) -> None:
    frame = messy()
    problem = {
        "quality": {"columns": RULES, "checks": ["waist > bmi"], "unique": ["seen", "bp"]},
        "features": {"exclude": ["lottery"]},
    }
    with diabetes.instead("patients", frame.to_csv(index=False).encode()):
        ended = diabetes.run(problem=problem)
    assert ended.ending in ("Promote", "KeepChampion"), ended.reasons
    verdict = ended.decision("Transform")
    evidence, reasons = verdict["evidence"], "\n".join(verdict["reasons"])
    assert evidence["accepted"] + evidence["quarantined"] == len(frame)
    assert evidence["rules"] == {
        "waist is no cm, nor of a unit that converts to it": 1,
        "waist is below the minimum 30 cm": 1,
        "not waist > bmi": 1,
    }
    assert "row 4: '90 kg'" in reasons
    assert evidence["units"] == {"waist": {"in": 221}}
    assert evidence["spellings"]["sex"]["M"] == "male"
    assert "filled with the median of the training rows" in evidence["missing_rules"]["bmi"]
    bad = diabetes.read(f"quarantine/run={ended.name}/rows.parquet")
    assert set(pd.read_parquet(io.BytesIO(bad))["waist"]) == {"90 kg", "2 in"}
    report = diabetes.read(f"runs/{ended.name}/report.html").decode()
    assert "waist is below the minimum 30 cm" in report

    lines = [line for line in diabetes.log(ended.name) if line["state"] == "Transform"]
    assert [(line["rows_in"], line["rows_out"]) for line in lines] == [
        (len(frame), evidence["accepted"])
    ]
    stages = {line["state"] for line in diabetes.log(ended.name)}
    assert stages >= {"Admit", "CollectSources", "Analyse", "ExploreModels", "EvaluateModel"}
    assert ended.ending in stages

    signature = diabetes.json(f"models/{ended.versions[-1]}/signature.json")
    sex = next(field for field in signature["columns"] if field["name"] == "sex")
    assert (sex["spellings"]["m"], sex["values"]) in (
        ("male", ["female", "male"]), ("male", ["male", "female"]),
    )  # fmt: skip
