"""Fit the peers' model on FOLDER/train.csv, as one would by hand; FOLDER/pipeline.joblib.

python pipeline.py FOLDER, in the environment of the peer that then loads it. The parameters are
those that Noria's own candidate had, which FOLDER/model.json tells.
"""

import json
import sys
from pathlib import Path

import joblib
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder


def main(folder: Path) -> None:
    """Fit and store."""
    told = json.loads((folder / "model.json").read_text())
    rows = pd.read_csv(folder / "train.csv")
    target = rows.pop(told["target"])
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((encoder, told["categories"]), remainder="passthrough")
    model = HistGradientBoostingClassifier(random_state=0, **told["parameters"])
    joblib.dump(make_pipeline(columns, model).fit(rows, target), folder / "pipeline.joblib")
    print("{}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
