"""Two ways to log predictions: Firehose within the request, or a line to standard output.

python -I -S logging_ways.py FOLDER LAYERS:...|RUNTIME:... STREAM

A line is a record of a prediction. Standard output is a pipe that another process empties, as the
function's runtime does on Lambda. Prints medians in seconds, by the number of lines.
"""

import json
import os
import sys
from typing import Any

sys.path.append(os.path.dirname(__file__))

from import_path import take

COUNTS, REPEATS = (1, 1000), 30


def main(folder: str, stream: str) -> dict[str, dict[str, float]]:
    """Send the same lines both ways."""
    import subprocess

    from noria.aws.firehose import Stream, firehose

    with open(os.path.join(folder, "rows.json"), encoding="utf-8") as file:
        lines = [_record(number, row) for number, row in enumerate(json.load(file))]
    delivery = Stream(firehose(), stream)

    def send(records: list[bytes]) -> None:
        lost, reason = delivery.append(records)
        assert not lost, reason

    reader = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert reader.stdin is not None
    with reader:

        def write(records: list[bytes]) -> None:
            reader.stdin.write(b"".join(records))
            reader.stdin.flush()

        return {
            "Firehose": {str(n): _median(send, lines[:n]) for n in COUNTS},
            "standard output": {str(n): _median(write, lines[:n]) for n in COUNTS},
        }


def _median(call: Any, records: list[bytes]) -> float:
    import statistics
    import time

    call(records)  # a client's first call connects
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call(records)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _record(number: int, row: dict[str, object]) -> bytes:
    told = {
        "prediction_id": f"01a21a98-0000-7000-8000-{number:012d}",
        "model_version": "v1",
        "function_version": "1",
        "served_at": "2026-11-28T00:00:00.000Z",
        "inputs": row,
        "prediction": False,
        "score": 0.25,
    }
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


if __name__ == "__main__":
    take(sys.argv[2])
    print(json.dumps(main(sys.argv[1], sys.argv[3])))
