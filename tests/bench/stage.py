"""Stages of the machine, run by their handlers on a folder; prints seconds and peaks as JSON.

    python -m tests.bench.stage FOLDER collect:flights collect:weather transform analyse
    python -I -S stage.py --path LAYERS:...:RUNTIME FOLDER transform

The second way imports from the layers and nothing else, as on Lambda. What stages answer is kept
in FOLDER/answers.json, as the state machine keeps it.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

STATES = {"collect": "CollectSources", "transform": "Transform", "analyse": "Analyse"}
LIBRARIES = ("numpy", "onnxruntime", "pandas", "pyarrow", "scipy", "sklearn")
STARTED = "2014-02-01T00:00:00Z"


def main(folder: Path, names: list[str]) -> dict[str, Any]:
    """Import the handlers, then run them one after another."""
    import boto3  # here, for the path is not set before

    from tests.support.memory_bucket import FolderBucket

    os.environ |= {"NORIA_STACK": "bench", "NORIA_BUCKET": "bench"}
    modules = {name: importlib.import_module(f"functions.{name.split(':')[0]}") for name in names}
    real = boto3.client("s3", region_name="eu-west-1")  # is in a function's memory as well
    bucket = FolderBucket(folder)
    boto3.client = lambda service, **_: bucket if service == "s3" else real
    began, stages = time.perf_counter(), {}
    for name, module in modules.items():
        started = time.perf_counter()
        decision = _run(folder, name, module)
        seconds = time.perf_counter() - started
        stages[name] = {"seconds": seconds, "peak": peak_mb(), **decision}
    seconds = time.perf_counter() - began
    loaded = [name for name in LIBRARIES if name in sys.modules]
    return {"seconds": seconds, "stages": stages, "libraries": loaded}


def _run(folder: Path, name: str, module: Any) -> dict[str, Any]:
    """Call a handler with what the machine would hand it; keep and shorten its answer."""
    kind, _, item = name.partition(":")
    file = folder / "answers.json"
    answers = json.loads(file.read_text()) if file.exists() else {}
    event = {
        "state": STATES[kind],
        "execution": "bench",
        "started_at": STARTED,
        "item": item or None,
    }
    context = SimpleNamespace(memory_limit_in_mb="10240")
    answer = module.handler({**event, "input": answers}, context)
    if kind == "collect":
        answers["collected"] = [*answers.get("collected", []), answer]
    else:
        answers[kind] = answer
    file.write_text(json.dumps(answers))
    if answer.get("decision", "usable") not in ("usable", "go_on"):
        sys.exit(f"{name} decided {answer['decision']}: {answer['reasons']}")
    return {key: answer[key] for key in ("decision", "rows", "quarantined") if key in answer}


def peak_mb() -> float:
    """The most memory that this process had, in MiB, as Lambda counts MB."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _take_path(path: str) -> None:
    """Lambda's order: code and layers, the standard library, the runtime; then this repository."""
    layers, runtime = (part.split(os.pathsep) for part in path.split("|"))
    sys.dont_write_bytecode = True  # layers are shared
    sys.path[:] = [*layers, *sys.path, *runtime, str(Path(__file__).parents[2])]


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[0] == "--path":
        _take_path(arguments[1])
        arguments = arguments[2:]
    print(json.dumps(main(Path(arguments[0]), arguments[1:])))
