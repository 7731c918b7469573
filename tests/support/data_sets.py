"""The real data sets that scikit-learn bundles, as the files that somebody would drop in."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from noria.core.ingestion.readers import read_table
from tests.support.data_frames import nycflights

Files = dict[str, pd.DataFrame]


def wine() -> Files:
    """178 wines of three cultivars."""
    data = load_wine(as_frame=True)
    named = data.frame["target"].map(dict(enumerate(data.target_names)))
    frame = data.frame.drop(columns="target").assign(cultivar=named)
    return {"wine": frame.rename(columns={"od280/od315_of_diluted_wines": "od_ratio"})}


def vintages() -> Files:
    """Some measurements of the wines, with a day, a region and a note: each recipe has a use."""
    frame, random = wine()["wine"], np.random.default_rng(3)
    rows = np.arange(len(frame))
    days = pd.Timestamp("2020-01-01") + pd.to_timedelta(random.permutation(rows) * 3, unit="D")
    wines = frame[["ash", "magnesium", "flavanoids", "cultivar"]].assign(
        bottled=days.strftime("%Y-%m-%d"),
        region=random.choice(["north", "south", "east", "west"], len(frame)),
        note=[" ".join(random.choice(["dry", "red", "old", "oak", "plum"], 6)) for _ in rows],
    )
    return {"wines": wines}


def cancer() -> Files:
    """569 biopsies; the extremes of their measurements are a source of their own."""
    data = load_breast_cancer(as_frame=True)
    frame = data.frame.rename(columns=lambda name: name.replace(" ", "_"))
    frame.insert(0, "patient", [f"p{number:03}" for number in range(len(frame))])
    frame["malignant"] = frame.pop("target") == 0
    extremes = [name for name in frame.columns if name.startswith("worst_")]
    return {"biopsies": frame.drop(columns=extremes), "extremes": frame[["patient", *extremes]]}


def diabetes() -> Files:
    """442 patients, and a lottery number that nothing can tell."""
    frame = load_diabetes(as_frame=True, scaled=False).frame
    frame = frame.rename(columns={"target": "progression"})
    frame["sex"] = frame["sex"].map({1.0: "female", 2.0: "male"})
    frame["lottery"] = np.random.default_rng(7).normal(size=len(frame)).round(4)
    return {"patients": frame}


def airplanes() -> Files:
    """JetBlue's 6,422 flights from JFK in January and February 2013."""
    return {"flights": flights_of(1, 2)}


def departures() -> Files:
    """The same flights, before anybody thought of their distance."""
    return {"flights": flights_of(1, 2).drop(columns="distance")}


def flights_of(*months: int) -> pd.DataFrame:
    """JetBlue's flights from JFK in months of 2013."""
    flights = read_table(nycflights("flights"), "flights.csv")
    rows = flights.query("carrier == 'B6' and origin == 'JFK' and month in @months")
    scheduled = pd.to_datetime(rows["time_hour"], utc=True) + pd.to_timedelta(rows["minute"], "min")
    kept = rows[["tailnum", "dest", "distance", "dep_delay", "arr_delay"]]
    return kept.assign(sched_departure=scheduled.dt.strftime("%Y-%m-%dT%H:%M:%SZ"))


SETS: dict[str, Callable[[], Files]] = {
    "wine": wine, "cancer": cancer, "diabetes": diabetes, "airplanes": airplanes,
    "departures": departures, "vintages": vintages,
}  # fmt: skip
