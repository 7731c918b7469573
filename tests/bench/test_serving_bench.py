"""The bench of endpoints compares like with like: all answer alike, and every answer is logged."""

import json
import statistics
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench import serving
from tests.bench.endpoint_figures import Figures, agreement, table, versions
from tests.bench.measuring import Measured, measure
from tests.bench.moto_process import moto

ROWS = "2000"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of few rows, by Noria's stages and by hand."""
    home = tmp_path_factory.mktemp("endpoints")
    measure(["-m", "tests.bench.endpoint_model", str(home), ROWS])
    measure([str(serving.FOLDER / "pipeline.py"), str(home)])
    return home


@pytest.fixture(scope="module")
def asked(folder: Path) -> Mapping[str, Measured]:
    """The handler, the limit and the usual way, each asked once as the bench asks."""
    path = serving.import_path()
    with moto() as url:
        variables = serving.seed(folder, url)
        scripts = {
            "noria": serving.own_script("noria_endpoint", folder, path),
            "limit": serving.own_script("onnx_limit", folder, path),
            "fastapi": [str(serving.FOLDER / "fastapi_app.py"), str(folder)],
        }
        return {name: measure(script, None, variables) for name, script in scripts.items()}


@pytest.mark.slow
def test_the_limit_answers_as_the_endpoint_does(asked: Mapping[str, Measured]) -> None:
    """GIVEN one artifact THEN both ways give the same 1,000 probabilities: no work is left out."""
    ours, least = (asked[name].found["scores"] for name in ("noria", "limit"))
    assert len(ours) == len(least) == 1000
    assert statistics.pstdev(ours) > 0.01
    assert max(abs(one - other) for one, other in zip(ours, least, strict=True)) < 1e-6


@pytest.mark.slow
def test_the_usual_way_has_the_same_kind_of_model(asked: Mapping[str, Measured]) -> None:
    """GIVEN the same rows and parameters THEN its probabilities are near those of the endpoint."""
    ours, theirs = (asked[name].found["scores"] for name in ("noria", "fastapi"))
    assert statistics.fmean(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 0.1
    assert statistics.correlation(ours, theirs) > 0.7


@pytest.mark.slow
def test_each_way_tells_its_times_and_its_memory(asked: Mapping[str, Measured]) -> None:
    assert set(asked) == {"noria", "limit", "fastapi"}
    for name, one in asked.items():
        assert 0 < one.found["one"] < one.found["many"] < 60, name
        assert one.found["first"] > one.found["one"], name
        assert 20 < one.found["peak"] < 2000, name
        assert one.found["versions"], name


@pytest.mark.slow
def test_the_logging_ways_are_both_measured(folder: Path) -> None:
    with moto() as url:
        variables = serving.seed(folder, url)
        script = serving.own_script("logging_ways", folder, serving.import_path())
        found = measure([*script, serving.PREDICTIONS], None, variables).found
    assert set(found) == {"Firehose", "standard output"}
    assert 0 < found["standard output"]["1000"] < found["Firehose"]["1000"]


def test_the_table_has_the_share_of_the_best_peer_and_whether_a_goal_is_met() -> None:
    """GIVEN a tenth of the best peer's seconds THEN one row misses its goal, a fifteenth."""
    fast, slow = Figures(0.1, 50, 0.001, 0.01), Figures(0.5, 200, 0.01, 0.05)
    slower = Figures(1.0, 300, 0.02, 0.04, versions={"bentoml": "1.0"})
    figures = {"noria": fast, "limit": fast, "fastapi": slow, "bentoml": slower}
    shown = StringIO()
    Console(file=shown, width=120).print(table(figures))
    lines = {line.split("\u2502")[1].strip(): line for line in shown.getvalue().splitlines()
             if "\u2502" in line}  # fmt: skip
    assert "0.200" in lines["first answer, s"]
    assert "met" in lines["first answer, s"]
    assert "0.100" in lines["one row, ms"]
    assert "missed" in lines["one row, ms"]
    assert "0.250" in lines["1,000 rows, ms"]  # of BentoML's, the faster one there
    assert "1.00 x" in lines["one row / limit"]
    assert versions(figures)[-1] == "BentoML: bentoml 1.0"


def test_without_a_peer_no_goal_is_called_met() -> None:
    figures = {"noria": Figures(0.1, 50, 0.001, 0.01), "limit": Figures(0.1, 50, 0.001, 0.01)}
    shown = StringIO()
    Console(file=shown, width=120).print(table(figures))
    [first] = [line for line in shown.getvalue().splitlines() if "first answer, s" in line]
    assert "met" not in first
    assert "missed" not in first


def test_how_far_answers_lie_apart_is_told() -> None:
    ours = Figures(1, 1, 1, 1, scores=[0.1, 0.5])
    [told] = agreement({"noria": ours, "mlflow": Figures(1, 1, 1, 1, scores=[0.2, 0.5])})
    assert told.endswith("MLflow 0.0500")


def test_a_request_holds_what_a_peer_was_fitted_on() -> None:
    """GIVEN the bench's contract THEN its columns are those of the rows."""
    from tests.bench.endpoint_model import CATEGORIES, CONTRACT, NUMBERS, _flights

    rows = _flights()
    assert list(rows.columns) == [*CATEGORIES, *NUMBERS, CONTRACT["target"]]
    assert not rows.isna().any().any()
    assert json.loads(rows.head(1).to_json(orient="records"))[0]["late"] in (True, False)
