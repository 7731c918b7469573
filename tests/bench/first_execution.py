"""The flights' first execution in a local cloud of this process; prints seconds as JSON.

python -m tests.bench.first_execution FOLDER
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

from infra.cli.local_session import local_stacks
from noria.contracts import Problem

CONTRACT = Path(__file__).parents[2] / "infra" / "problems" / "flight_delays.yaml"


def main(folder: Path) -> dict[str, Any]:
    """Deploy, drop the files in, execute once."""
    began = time.monotonic()
    name = Problem.load(CONTRACT).name
    with local_stacks([CONTRACT], _silent) as stacks:
        stack = stacks[name]
        for file in sorted(folder.glob("*.csv")):
            stack.drop(file.stem.split("-")[0], [file])
        started = time.monotonic()
        record = stack.run({"as_of": "2013-04-01T00:00:00Z"})
        ended = time.monotonic()
    if record.champion is None:
        sys.exit(f"the execution ended at {record.ending}: {record.reasons}")
    return {
        "cloud_start": started - began,
        "execution": ended - started,
        "ending": record.ending,
        "roc_auc": round(record.champion["metrics"]["roc_auc"], 4),
    }


def _silent(_: str) -> None:
    """Print nothing: standard output is for the measurement."""


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
