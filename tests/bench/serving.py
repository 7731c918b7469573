"""The endpoint beside the usual ways to serve the same kind of model, and beside the limit."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import boto3
from rich.console import Console

from infra.packaging.assets import build_layers, build_runtime, functions_asset
from noria.aws.s3 import Store
from noria.lifecycle.environment import Environment
from tests.bench.endpoint_figures import PEERS, Figures, agreement, table, versions
from tests.bench.endpoint_model import CONTRACT
from tests.bench.environments import python_of
from tests.bench.measuring import CALM, measure
from tests.bench.moto_process import moto
from tests.support.tiny_model import make_champion

FOLDER = Path(__file__).with_name("endpoints")
BUCKET, REGION, VERSION = "noria-bench", "eu-west-1", "v1"
PREDICTIONS, LABELS = "predictions", "labels"
#: A function has no proxy and no certificates of its own; the machine of the bench may.
DIRECT = dict.fromkeys(
    ("AWS_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), ""
)
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
QUIET = {
    "PYTHONWARNINGS": "ignore", "BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
}  # fmt: skip
NOTE = """\
{rows:,} flights with {columns} columns, fitted by histogram gradient boosting with the same
parameters: by Noria's stages, and by hand as a scikit-learn pipeline for the peers. Each way is a
process of its own with one thread for numerics, as a function of 2,048 MB has one; medians of
{repeat} processes, each asked 200 times for one row and 20 times for 1,000. A first answer counts
from the first import on; processor seconds (CPU) are those of all threads, which other processes
change little. Noria is its function's handler with its built layers, reads its model from an S3
server in another process, and logs each prediction; the peers read local files and log nothing.
FastAPI is called through Mangum by the same event; BentoML's and MLflow's applications through
ASGI, without a server or a socket, which favours them. The limit is ONNX Runtime between
json.loads and json.dumps, on the same artifact."""
LOGGED = """\
Noria wrote {records:,} records of {asked:,} predictions to its standard output.
Logging the same predictions: Firehose within the request (a local server in place of the network)
takes {0} for one and {1} for 1,000; lines to standard output, which another process reads, take
{2} and {3}."""


def compare(console: Console, repeat: int) -> None:
    """Measure, and print the table with the goals beside."""
    with tempfile.TemporaryDirectory(prefix="noria-bench-") as home, moto() as url:
        folder = Path(home)
        made = measure(["-m", "tests.bench.endpoint_model", home], variables=CALM).found
        path, variables = import_path(), seed(folder, url)
        ways: dict[str, tuple[list[str], Path | None]] = {
            "noria": (own_script("noria_endpoint", folder, path), None),
            "limit": (own_script("onnx_limit", folder, path), None),
        }
        for name, python in peers(folder).items():
            ways[name] = ([str(FOLDER / f"{name}_app.py"), home], python)
        runs: dict[str, list[dict[str, Any]]] = {name: [] for name in ways}
        for _ in range(repeat):  # in turns: what else the machine does meets all alike
            for name, (command, python) in ways.items():
                runs[name].append(measure(command, python, variables).found)
        records, asked = log_records(folder), runs["noria"][-1]["asked"]
        logging = [*own_script("logging_ways", folder, path), PREDICTIONS]
        logs = measure(logging, None, variables).found
    figures = {name: Figures.median(found) for name, found in runs.items()}
    console.print(NOTE.format(**made, repeat=repeat), highlight=False)
    console.print(table(figures))
    console.print("\n".join([*versions(figures), *agreement(figures)]), highlight=False)
    times = [f"{logs[way][n] * 1000:.2f} ms" for way in logs for n in ("1", "1000")]
    console.print(LOGGED.format(*times, records=records, asked=asked), highlight=False)


def peers(folder: Path) -> dict[str, Path]:
    """The Pythons of the peers whose environments can be made, with their models stored."""
    found = {}
    for name in PEERS:
        python = python_of(name, within=FOLDER)
        if python is None:
            continue
        if not (folder / "pipeline.joblib").exists():  # all have the same scikit-learn
            measure([str(FOLDER / "pipeline.py"), str(folder)], python, QUIET)
        if name == "mlflow":
            measure([str(FOLDER / "mlflow_app.py"), str(folder), "save"], python, QUIET)
        found[name] = python
    return found


def log_records(folder: Path) -> int:
    """How many predictions the endpoint's process wrote to its standard output."""
    with (folder / "noria.log").open(encoding="utf-8") as lines:
        return sum('"prediction_id"' in line for line in lines)


def own_script(name: str, folder: Path, path: str) -> list[str]:
    """The arguments of a script that imports from our layers and nothing else."""
    return ["-I", "-S", str(FOLDER / f"{name}.py"), str(folder), path]


def import_path() -> str:
    """What the endpoint imports from: its code, its layers, and behind the bar Lambda's runtime."""
    layers, functions = build_layers("host"), functions_asset().path
    own = [functions, layers["serve"] / "python", layers["noria"] / "python"]
    return f"{os.pathsep.join(map(str, own))}|{build_runtime() / 'python'}"


def seed(folder: Path, url: str) -> dict[str, str]:
    """Fill the bucket, make the streams; gives every way's environment variables."""
    known = {
        "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": url, "AWS_LAMBDA_FUNCTION_NAME": "bench",
        "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "2048",
        "AWS_SESSION_TOKEN": "bench", "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
    }  # fmt: skip
    session = boto3.Session("bench", "bench", region_name=REGION)
    s3 = session.client("s3", endpoint_url=url)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    store, bucket = Store(s3, BUCKET), folder / "bucket"
    for file in bucket.rglob("*"):
        if file.is_file():
            store.put(file.relative_to(bucket).as_posix(), file.read_bytes())
    make_champion(store, VERSION)
    firehose = session.client("firehose", endpoint_url=url)
    for name in (PREDICTIONS, LABELS):
        target = {"RoleARN": "arn:aws:iam::123456789012:role/bench",
                  "BucketARN": f"arn:aws:s3:::{BUCKET}", "Prefix": f"{name}/"}  # fmt: skip
        firehose.create_delivery_stream(
            DeliveryStreamName=name, ExtendedS3DestinationConfiguration=target
        )
    environment = Environment(
        stack="bench", bucket=BUCKET, database="bench", namespace="Noria/bench", model=VERSION,
        problem=json.dumps(CONTRACT), predictions_stream=PREDICTIONS, labels_stream=LABELS,
    )  # fmt: skip
    return {**known, **QUIET, **CALM, **DIRECT, **ONE_THREAD, **environment.to_variables()}
