"""The same pipeline as a BentoML service, whose ASGI application is called in the process.

python bentoml_app.py FOLDER
"""

import json
import sys

import timing


def serve(folder: str) -> timing.Way:
    """Make the service and start its application."""
    import os
    from pathlib import Path
    from typing import Any

    os.environ["BENTOML_HOME"] = folder  # where it keeps files of its own
    import bentoml
    import joblib
    import pandas as pd
    from asgi import Application

    @bentoml.service
    class Flights:
        """Whether flights will be late."""

        def __init__(self) -> None:
            self.pipeline = joblib.load(Path(folder) / "pipeline.joblib")

        @bentoml.api
        def predict(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            """Answer each row."""
            shares = self.pipeline.predict_proba(pd.DataFrame(rows))[:, 1]
            return [{"prediction": one >= 0.5, "probability": one} for one in shares.tolist()]

    app = Application(Flights.to_asgi())
    return timing.Way(
        prepare=lambda rows: json.dumps({"rows": rows}).encode(),
        ask=lambda body: app.post("/predict", body),
        scores=lambda answer: [float(one["probability"]) for one in json.loads(answer)],
        packages=("bentoml", "scikit-learn", "pandas"),
    )


if __name__ == "__main__":
    timing.report("bentoml", sys.argv[1], serve)
