"""The usual way on Lambda: a scikit-learn pipeline from joblib in FastAPI behind Mangum.

python fastapi_app.py FOLDER
"""

import sys

import timing
from gateway import CONTEXT, event, probabilities


def serve(folder: str) -> timing.Way:
    """Load the pipeline and make the application; the route is `async def`, the faster kind."""
    from pathlib import Path
    from typing import Any

    import joblib
    import pandas as pd
    from fastapi import FastAPI
    from mangum import Mangum
    from pydantic import BaseModel

    pipeline = joblib.load(Path(folder) / "pipeline.joblib")
    app = FastAPI()

    class Rows(BaseModel):
        """The request's body."""

        rows: list[dict[str, Any]]

    @app.post("/predict")
    async def predict(body: Rows) -> dict[str, Any]:
        """Answer each row."""
        shares = pipeline.predict_proba(pd.DataFrame(body.rows))[:, 1]
        answers = [{"prediction": one >= 0.5, "probability": one} for one in shares.tolist()]
        return {"predictions": answers}

    handler = Mangum(app, lifespan="off")
    return timing.Way(
        prepare=lambda rows: event({"rows": rows}),
        ask=lambda asked: handler(asked, CONTEXT),
        scores=probabilities,
        packages=("fastapi", "mangum", "scikit-learn", "pandas"),
    )


if __name__ == "__main__":
    timing.report("fastapi", sys.argv[1], serve)
