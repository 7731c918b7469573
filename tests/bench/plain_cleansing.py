"""Flights and weather, read, joined and cleansed as one would by hand. Prints what it found.

    python plain_cleansing.py FOLDER cleanse|join

`cleanse` applies the rules of infra/problems/flight_delays.yaml: types, dates, ranges, allowed
values, missing values, duplicates by key, outliers flagged, columns that cannot help dropped; what
breaks a rule is written apart, with every rule that it broke. `join` only writes the joined table.
It imports nothing of Noria, and knows these files: nothing about a column is inferred.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet  # noqa: F401  (read_csv and to_parquet would import it while measured)

KEY = ["carrier", "flight", "event_time"]
TEXTS = ["carrier", "tailnum", "origin", "dest"]
TIMES = ["time_hour", "event_time"]
TARGET, LATE = "arr_delay", 15
ORIGINS = ["EWR", "JFK", "LGA"]
MISSING = ["", "NA", "N/A", "NULL", "NaN", "nan", "None"]
MAXIMUM_MISSING, OUTLIER, FEWEST_VALUES = 0.6, 3.5, 10


def read(folder, source):
    files = sorted((folder / "incoming" / source).glob("*.csv"))
    return pd.concat([pd.read_csv(file) for file in files], ignore_index=True)


def join(flights, weather):
    flights["time_hour"] = pd.to_datetime(flights.time_hour, utc=True, errors="coerce")
    minutes = pd.to_timedelta(flights.minute, unit="min")
    flights["event_time"] = flights.time_hour + minutes
    weather["time_hour"] = pd.to_datetime(weather.time_hour, utc=True, errors="coerce")
    return pd.merge_asof(
        flights.sort_values("event_time", kind="stable"),
        weather.sort_values("time_hour", kind="stable").rename(columns={"time_hour": "as_of"}),
        left_on="event_time",
        right_on="as_of",
        by="origin",
        tolerance=pd.Timedelta("1h"),
        suffixes=("", "_weather"),
    ).drop(columns="as_of")


def typed(table):
    columns = {}
    for name in table:
        if name in TEXTS:
            text = table[name].str.strip()
            columns[name] = text.mask(text.isin(MISSING))
        elif name in TIMES:
            columns[name] = table[name]
        else:
            columns[name] = pd.to_numeric(table[name], errors="coerce")
    return pd.DataFrame(columns)


def broken_rules(table, values):
    rules = {
        "target is missing": values[TARGET].isna(),
        "event time is missing": values.event_time.isna(),
        "origin is not one of EWR, JFK, LGA": values.origin.notna() & ~values.origin.isin(ORIGINS),
        "distance is no number": table.distance.notna() & values.distance.isna(),
        "distance is below 0": values.distance < 0,
        "year is below 2013": values.year < 2013,
    }
    sound = values[~pd.concat(rules, axis=1).any(axis=1)]
    shared = sound[sound.duplicated(KEY, keep=False)]
    repeated = shared.duplicated()
    conflicting = shared[~repeated].duplicated(KEY, keep=False)
    everywhere = {"index": values.index, "fill_value": False}
    rules["repeats another row"] = repeated.reindex(**everywhere)
    rules["same key as another row, other values"] = conflicting.reindex(**everywhere)
    return pd.DataFrame(rules)


def texts_of(broken):
    texts = pd.Series("", index=broken.index)
    for rule, rows in broken.items():
        texts[rows] = texts[rows].where(texts[rows] == "", texts[rows] + "; ") + rule
    return texts


def useless(values):
    share = values.isna().mean()
    constant = (values.nunique() <= 1) & (share == 0)
    return [name for name in values if share[name] > MAXIMUM_MISSING or constant[name]]


def outliers(values):
    """Values whose modified z score is beyond 3.5 (Iglewicz and Hoaglin)."""
    found = []
    for name in values.select_dtypes("number"):
        numbers = values[name].dropna()
        away = (numbers - numbers.median()).abs()
        spread = away.median() / 0.6745 or away.mean() * 1.253314
        if numbers.nunique() < FEWEST_VALUES or not spread:
            continue
        rows = numbers[away > OUTLIER * spread]
        found.append(pd.DataFrame({"row": rows.index, "column": name, "value": rows.to_numpy()}))
    return pd.concat(found, ignore_index=True)


def cleanse(table):
    values = typed(table)
    broken = broken_rules(table, values)
    bad = broken.any(axis=1)
    accepted = values[~bad]
    accepted = accepted.drop(columns=useless(accepted)).reset_index(drop=True)
    accepted["late"] = accepted[TARGET] > LATE
    quarantined = table[bad].assign(broken_rule=texts_of(broken[bad]))
    return accepted, quarantined, outliers(accepted)


def main(folder, what):
    started = time.perf_counter()
    table = join(read(folder, "flights"), read(folder, "weather"))
    if what == "join":
        table.to_parquet(folder / "joined.parquet", index=False)
        return {"rows": len(table)}
    accepted, quarantined, flagged = cleanse(table)
    accepted.to_parquet(folder / "accepted.parquet", index=False)
    quarantined.to_parquet(folder / "quarantined.parquet", index=False)
    flagged.to_parquet(folder / "flagged.parquet", index=False)
    return {
        "seconds": time.perf_counter() - started,
        "rows": len(accepted),
        "quarantined": len(quarantined),
        "columns": accepted.shape[1],
        "late": int(np.sum(accepted.late)),
        "flagged": len(flagged),
    }


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), sys.argv[2])))
