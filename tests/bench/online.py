"""Noria's online table at URL: loads ENTITIES rows, and looks some up again and again.

python -m tests.bench.online URL ENTITIES REPEAT KEYS...
"""

import json
import sys
import time
from typing import Any

import boto3
import numpy as np

from noria.aws.feature_store.dynamodb_online import Latest, OnlineTable
from tests.bench.features import FEATURES
from tests.support.feature_stack import make_online_table

REGION, TABLE = "eu-west-1", "noria_bench_online"


def main(url: str, entities: int, repeat: int, *sizes: int) -> dict[str, Any]:
    """Median milliseconds per number of keys."""
    client = boto3.client("dynamodb", region_name=REGION, endpoint_url=url)
    make_online_table(client, TABLE)
    table = OnlineTable(client, TABLE, time.sleep)
    random = np.random.default_rng(7)
    rows = [
        Latest((str(n),), 1, 1, dict(zip(FEATURES, random.normal(size=5).tolist(), strict=True)))
        for n in range(entities)
    ]
    table.load("bench", rows, at=1)
    return {"milliseconds": {str(n): _median(table, rows, n, repeat, random) for n in sizes}}


def _median(
    table: OnlineTable, rows: list[Latest], size: int, repeat: int, random: np.random.Generator
) -> float:
    times = []
    for _ in range(repeat):
        asked = [rows[n] for n in random.choice(len(rows), size, replace=False)]
        started = time.perf_counter()
        found = table.read("bench", [row.key for row in asked])
        times.append(time.perf_counter() - started)
        assert found == asked
    return float(np.median(times)) * 1000


if __name__ == "__main__":
    address, *numbers = sys.argv[1:]
    print(json.dumps(main(address, *map(int, numbers))))
