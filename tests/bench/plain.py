"""One plain script for the flights: read, join, cleanse, train, score. Prints what it found.

    python plain.py FOLDER compare|one

`compare` explores the candidates that Noria explores, with the same parameters, on the same latest
rows and the same folds, and trains the best on all training rows; `one` trains boosted trees only.
It imports nothing of Noria.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

LEAKS = ["dep_delay", "dep_time", "arr_time", "air_time", "arr_delay"]
FOLDS, EXPLORED_ROWS, HOLDOUT, FOREST_ROWS = 3, 20_000, 0.2, 15_000


def read(folder):
    flights = pd.concat([pd.read_csv(file) for file in sorted(folder.glob("flights-*.csv"))])
    names = ("weather", "planes", "airlines")
    return flights, *(pd.read_csv(folder / f"{name}.csv") for name in names)


def join(flights, weather, planes, airlines):
    hours = pd.to_datetime(flights.time_hour, utc=True)
    flights = flights.assign(departure=hours + pd.to_timedelta(flights.minute, unit="min"))
    weather = weather.assign(time_hour=pd.to_datetime(weather.time_hour, utc=True))
    weather = weather.drop(columns=["year", "month", "day", "hour"])
    table = pd.merge_asof(
        flights.sort_values("departure"),
        weather.sort_values("time_hour"),
        left_on="departure",
        right_on="time_hour",
        by="origin",
        tolerance=pd.Timedelta("1h"),
        suffixes=("", "_weather"),
    )
    table = table.merge(planes, on="tailnum", how="left", suffixes=("", "_planes"))
    return table.merge(airlines, on="carrier", how="left", validate="many_to_one")


def cleanse(table):
    table = table[table.arr_delay.notna() & table.origin.isin(["EWR", "JFK", "LGA"])]
    table = table[table.distance >= 0].drop_duplicates(["carrier", "flight", "departure"])
    late = (table.arr_delay > 15).astype(int)
    features = table.drop(columns=[*LEAKS, "departure", "time_hour", "time_hour_weather"])
    features = features.loc[:, (features.isna().mean() <= 0.6) & (features.nunique() > 1)]
    return features, late


def candidates(features, rows):
    texts = features.select_dtypes(exclude="number").columns.tolist()
    numbers = features.select_dtypes("number").columns.tolist()
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    one_hot = OneHotEncoder(handle_unknown="ignore", max_categories=20)
    coded = make_column_transformer((codes, texts), remainder="passthrough")
    imputed = make_column_transformer((codes, texts), (SimpleImputer(), numbers))
    scaled = make_column_transformer(
        (one_hot, texts), (make_pipeline(SimpleImputer(), StandardScaler()), numbers)
    )
    forest = {
        "n_estimators": 100,
        "min_samples_leaf": 2,
        "max_features": "sqrt",
        "max_leaf_nodes": 256,
        "bootstrap": True,
        "max_samples": min(1.0, FOREST_ROWS / rows),
        "random_state": 1,
    }
    boosted = HistGradientBoostingClassifier(
        max_iter=150, l2_regularization=1.0, early_stopping=False, random_state=1
    )
    return {
        "boosted trees": make_pipeline(coded, boosted),
        "logistic regression": make_pipeline(scaled, LogisticRegression(max_iter=300, tol=1e-3)),
        "extra trees": make_pipeline(imputed, ExtraTreesClassifier(**forest)),
        "random forest": make_pipeline(imputed, RandomForestClassifier(**forest)),
    }


def best(X, y):
    X, y = X[-EXPLORED_ROWS:], y[-EXPLORED_ROWS:]
    scores = {name: [] for name in candidates(X, len(X))}
    for train, test in TimeSeriesSplit(FOLDS).split(X):
        for name, model in candidates(X, len(train)).items():
            model.fit(X.iloc[train], y.iloc[train])
            guess = model.predict_proba(X.iloc[test])[:, 1]
            scores[name].append(roc_auc_score(y.iloc[test], guess))
    return max(scores, key=lambda name: np.mean(scores[name]))


def main(folder, what):
    X, y = cleanse(join(*read(folder)))
    cut = int(len(X) * (1 - HOLDOUT))
    name = best(X[:cut], y[:cut]) if what == "compare" else "boosted trees"
    model = candidates(X, cut)[name].fit(X[:cut], y[:cut])
    score = roc_auc_score(y[cut:], model.predict_proba(X[cut:])[:, 1])
    print(json.dumps({"rows": len(X), "model": name, "roc_auc": round(float(score), 4)}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
