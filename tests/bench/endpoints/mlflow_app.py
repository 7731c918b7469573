"""The same pipeline behind MLflow's scoring server, its ASGI application called in the process.

python mlflow_app.py FOLDER save; python mlflow_app.py FOLDER
"""

import json
import sys

import timing


def save(folder: str) -> None:
    """Store the pipeline as MLflow does; without a signature, whose checks would take time."""
    from pathlib import Path

    import joblib
    import mlflow.sklearn

    mlflow.sklearn.save_model(
        joblib.load(Path(folder) / "pipeline.joblib"),
        Path(folder) / "mlflow-model",
        serialization_format="cloudpickle",
        pip_requirements=["scikit-learn"],
        pyfunc_predict_fn="predict_proba",
    )
    print("{}")


def serve(folder: str) -> timing.Way:
    """Load the model and make the application, as `mlflow models serve` does."""
    from pathlib import Path

    from asgi import Application
    from mlflow.pyfunc import load_model, scoring_server

    app = Application(scoring_server.init(load_model(str(Path(folder) / "mlflow-model"))))
    return timing.Way(
        prepare=lambda rows: json.dumps({"dataframe_records": rows}).encode(),
        ask=lambda body: app.post("/invocations", body),
        scores=lambda answer: [float(one[1]) for one in json.loads(answer)["predictions"]],
        packages=("mlflow", "scikit-learn", "pandas"),
    )


if __name__ == "__main__":
    if "save" in sys.argv[2:]:
        save(sys.argv[1])
    else:
        timing.report("mlflow", sys.argv[1], serve)
