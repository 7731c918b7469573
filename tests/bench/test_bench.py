"""The bench measures what it says: a child's own memory, like work on both sides, honest limits."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.bench import analysis, capacity, flights
from tests.bench.measuring import ROOT, measure

HOLD = """
import json, sys
held = bytearray(int(sys.argv[1]) * 2**20)
print(json.dumps({"held": len(held)}))
"""
MONTH = ("1", *analysis.SOURCES)
PEAKS = """
import json, sys
from tests.bench.measuring import measure
print(json.dumps([measure(["-c", sys.argv[1], size]).peak for size in ("1000", "1400")]))
"""


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """January's flights with weather, run through Noria's stages and the plain script."""
    folder = tmp_path_factory.mktemp("bucket")
    measure(["-m", "tests.bench.flights", str(folder), *MONTH])
    measure(["-m", analysis.STAGE, str(folder), *analysis.CLEANSING, *analysis.ANALYSING])
    measure([analysis.PLAIN, str(folder), "cleanse"])
    return folder


def test_a_childs_peak_grows_by_what_it_holds() -> None:
    """GIVEN two processes THEN their peaks differ by the memory that one holds more."""
    # A process begins with its parent's peak, and a test worker's may be above both: the shell that
    # stands between them is small.
    shell = ["sh", "-c", '"$@"; exit $?', "sh", sys.executable, "-c", PEAKS, HOLD]
    done = subprocess.run(shell, cwd=ROOT, capture_output=True, text=True, check=True)
    less, more = json.loads(done.stdout)
    assert 390 < more - less < 410


def test_a_peak_below_our_own_is_unknown() -> None:
    """GIVEN a child smaller than this process THEN no peak is told: it would be ours."""
    assert math.isnan(measure(["-c", HOLD, "1"]).peak)


def test_noria_and_the_plain_script_cleanse_alike(bucket: Path) -> None:
    """GIVEN the same files THEN both accept the same flights and flag the same outliers."""
    clean = bucket / "clean" / f"run={flights.EXECUTION}"
    ours, theirs = _accepted(clean / "rows.parquet"), _accepted(bucket / "accepted.parquet")
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)
    assert _flagged(clean / "outliers.parquet") == _flagged(bucket / "flagged.parquet")


def test_the_report_and_the_verdicts_are_there(bucket: Path) -> None:
    """GIVEN the stages have run THEN what they are measured for was really made."""
    run = bucket / "runs" / flights.EXECUTION
    assert "<html" in (run / "report.html").read_text()
    answers = json.loads((bucket / "answers.json").read_text())
    assert [item["source"] for item in answers["collected"]] == ["flights", "weather"]
    assert answers["analyse"]["decision"] == "go_on"


def test_more_than_a_year_keeps_its_keys_apart(tmp_path: Path) -> None:
    """GIVEN thirteen months THEN the last is a January a year later, weather included."""
    flights.main(tmp_path, 13, ["flights", "weather"])
    files = sorted((tmp_path / "incoming" / "flights").iterdir())
    first, last = pd.read_csv(files[0]), pd.read_csv(files[-1])
    assert len(files) == 13
    assert len(first) == len(last)
    assert set(last.year) == {2014}
    assert last.time_hour.min() == first.time_hour.min().replace("2013", "2014")
    weather = pd.concat(map(pd.read_csv, (tmp_path / "incoming" / "weather").iterdir()))
    assert weather.time_hour.max() >= last.time_hour.max()
    assert not weather.duplicated(["origin", "time_hour"]).any()


def test_rows_end_where_the_line_meets_the_limit() -> None:
    """GIVEN 100 MB and 1 MB per 1,000 rows THEN 70 % of 3,008 MB are 2 million rows."""
    rows = [1_000, 10_000, 50_000]
    peak = capacity.Line.through(rows, [100 + n / 1000 for n in rows])
    quick = capacity.Line.through(rows, [1 + n / 1e6 for n in rows])
    slow = capacity.Line.through(rows, [n / 1000 for n in rows])
    assert capacity.capacity(peak, quick, 3008) == pytest.approx(2_005_600)
    assert capacity.capacity(peak, slow, 3008) == pytest.approx(450_000)
    assert peak.off == pytest.approx(0)


@pytest.mark.parametrize(
    ("rows", "shown"), [(2_005_600.4, 2_000_000), (999_999, 900_000), (7.9, 7), (0, 0)]
)
def test_capacity_is_rounded_down(rows: float, shown: int) -> None:
    """GIVEN rows THEN one digit is left, and never more rows than there were."""
    assert capacity.rounded_down(rows) == shown


@pytest.mark.slow
def test_a_stage_imports_from_its_layers_only(bucket: Path) -> None:
    """GIVEN the stages' paths THEN neither has what the other's layer brings."""
    paths = capacity.import_paths()
    transform = capacity.run_stage(str(bucket), paths["data"], "transform")
    analyse = capacity.run_stage(str(bucket), paths["model"], "analyse")
    assert transform.found["libraries"] == ["numpy", "pandas", "pyarrow"]
    assert "sklearn" in analyse.found["libraries"]
    assert "pyarrow" not in analyse.found["libraries"]


def _accepted(file: Path) -> pd.DataFrame:
    columns = ["carrier", "flight", "event_time", "arr_delay", "origin", "temp", "visib"]
    return pd.read_parquet(file)[columns].sort_values(columns).reset_index(drop=True)


def _flagged(file: Path) -> dict[str, int]:
    columns = pd.read_parquet(file).column
    return {str(name): int(count) for name, count in columns.value_counts().items()}
