"""Read an experiment and the registered models with MLflow's own client; run by its Python."""

import json
import sys
from pathlib import Path
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.models import Model


def run_of(client: MlflowClient, run: Any) -> dict[str, Any]:
    """A run with its metrics, each a series, and its files."""
    files = [one.path for one in client.list_artifacts(run.info.run_id)]
    inner = [one.path for folder in files for one in client.list_artifacts(run.info.run_id, folder)]
    return {
        "id": run.info.run_id,
        "name": run.info.run_name,
        "status": run.info.status,
        "seconds": ((run.info.end_time or 0) - run.info.start_time) / 1000,
        "parameters": run.data.params,
        "tags": run.data.tags,
        "metrics": {
            name: [one.value for one in client.get_metric_history(run.info.run_id, name)]
            for name in run.data.metrics
        },
        "datasets": [
            {"name": one.dataset.name, "digest": one.dataset.digest, "source": one.dataset.source}
            for one in run.inputs.dataset_inputs
        ],
        "files": sorted(inner),
    }


def model_of(client: MlflowClient, model: Any) -> dict[str, Any]:
    """A registered model with its versions, and what MLflow reads of their files."""
    versions = []
    for one in client.search_model_versions(f"name = '{model.name}'"):
        uri = f"models:/{one.name}/{one.version}"
        described = Model.load(uri)
        versions.append(
            {
                "version": one.version,
                "run": one.run_id,
                "tags": one.tags,
                "flavors": sorted(described.flavors),
                "inputs": described.signature.inputs.to_dict(),
                "outputs": described.signature.outputs.to_dict(),
                "graph": Path(mlflow.artifacts.download_artifacts(f"{uri}/model.onnx"))
                .stat()
                .st_size,
            }
        )
    return {"aliases": model.aliases, "versions": versions}


def main(uri: str, experiment: str) -> None:
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    found = client.get_experiment_by_name(experiment)
    runs = client.search_runs([found.experiment_id]) if found else []
    models = {one.name: model_of(client, one) for one in client.search_registered_models()}
    print(json.dumps({"runs": [run_of(client, one) for one in runs], "models": models}))


if __name__ == "__main__":
    main(*sys.argv[1:])
