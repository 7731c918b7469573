"""The model that endpoints are compared with: Noria's own, and what peers need for theirs.

python -m tests.bench.endpoint_model FOLDER [ROWS] writes below FOLDER

- bucket/: what Noria's stages left, the version `v1` among it, and model.onnx beside it,
- train.csv, rows.json, model.json: rows to fit a peer's model, a request's rows, and how.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from infra.cli.demo_data import write_flights
from noria.core.training.candidates.hist_gradient_boosting import CANDIDATE as BOOSTING
from tests.support.stages import run_stages

TARGET, MONTHS, ROWS, ASKED = "late", (1, 2), 12_000, 1_000
CATEGORIES = ["carrier", "origin", "dest", "manufacturer"]
NUMBERS = [
    "hour", "minute", "day", "distance", "seats", "plane_year", "temp", "dewp", "humid",
    "wind_speed", "precip", "pressure", "visib",
]  # fmt: skip
CONTRACT: dict[str, Any] = {
    "name": "bench", "statement": "Will this flight be late?", "task": "binary", "target": TARGET,
    "sources": [{"name": "rows", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.6},
    "features": {"recipes": ["basic"]},
    "exploration": {
        "candidates": ["hist_gradient_boosting"], "trials": 1, "folds": 2, "blend": False,
    },
    "training": {"final_fit": "none"},
}  # fmt: skip


def main(folder: Path, count: int = ROWS) -> dict[str, Any]:
    """Draw the rows, and run the stages on those that are not asked for."""
    rows = _flights().sample(count + ASKED, random_state=0).reset_index(drop=True)
    train, asked = rows[ASKED:], rows[:ASKED].drop(columns=TARGET)
    content = train.to_csv(index=False).encode()
    outcome = run_stages(CONTRACT, {"rows": ("rows.csv", content)})
    if not outcome.files:
        sys.exit(f"no model: {outcome.state} decided {outcome.decision}: {outcome.reasons}")
    for key, kept in outcome.objects.items():
        path = folder / "bucket" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(kept)
    (folder / "model.onnx").write_bytes(outcome.files["models/v1/model.onnx"])
    (folder / "train.csv").write_bytes(content)
    (folder / "rows.json").write_text(asked.to_json(orient="records"))
    parameters = BOOSTING.parameters(2, count)
    told = {"target": TARGET, "categories": CATEGORIES, "parameters": parameters}
    (folder / "model.json").write_text(json.dumps(told))
    return {"rows": count, "columns": len(CATEGORIES + NUMBERS)}


def _flights() -> pd.DataFrame:
    """Flights with the hour's weather and their planes; complete, so that every way takes them."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = write_flights(folder, MONTHS)
        flights = pd.concat(map(pd.read_csv, files["flights"]))
        weather, planes = pd.read_csv(files["weather"][0]), pd.read_csv(files["planes"][0])
    weather = weather.drop(columns=["year", "month", "day", "hour"])
    planes = planes.rename(columns={"year": "plane_year"})
    joined = flights.merge(weather, on=["origin", "time_hour"]).merge(planes, on="tailnum")
    joined = joined.dropna(subset=["arr_delay", *NUMBERS])
    joined[TARGET] = joined["arr_delay"] > 15
    return joined[[*CATEGORIES, *NUMBERS, TARGET]]


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), *map(int, sys.argv[2:]))))
