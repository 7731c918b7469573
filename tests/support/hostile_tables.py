# ruff: noqa: E501, RUF001
"""Tables with hostile names, types and values, and the contracts that ask something of them."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
from hypothesis import strategies as st

FAST: dict[str, Any] = {
    "quality": {"minimum_rows": 40, "maximum_quarantined": 0.6},
    "analysis": {"resamples": 100, "permutations": 100},
    "features": {"maximum_iterations": 1},
    "exploration": {"folds": 2, "seconds": 5, "trials": 1},
}
CANDIDATES = {
    "binary": ["logistic_regression", "hist_gradient_boosting", "extra_trees"],
    "multiclass": ["logistic_regression", "hist_gradient_boosting", "random_forest"],
    "regression": ["ridge", "hist_gradient_boosting", "extra_trees"],
}
METRICS = {
    "binary": ["roc_auc", "accuracy", "average_precision", "f1", "log_loss"],
    "multiclass": ["accuracy", "f1_macro", "log_loss"],
    "regression": ["r2", "rmse", "mae"],
}

NAMES = [
    "a", "A", "temp", "Temp", " temp ", "run", "event_time", "created_time", "id",
    "index", "target", "Order Date", "2nd item", "class", "and", "select", "x.y", "x-y", 'he said "so"',
    "it's", "back`tick", "Größe", "Пол", "数量", "🙂", "é", "é", "%", "$1", "__index_level_0__",
    "Unnamed: 3", "broken_rule", "filename", "rows", "prediction", "value",
    "null", "None", "nan", "true", "0", "1.5", "-", "a,b", "a;b", "a\tb", "{x}", "<b>", "n" * 120,
    "é" * 120, "m" * 254, "é" * 125, "column0", "position", "entity", "file_row_number", "run_value",
    "target_value",
]  # fmt: skip


def marks(
    rng: np.random.Generator, values: list[Any], *others: Any, share: float = 0.1
) -> list[Any]:
    """Put some other value in place of a share of them."""
    chosen = rng.random(len(values)) < share
    return [
        others[rng.integers(len(others))] if at else one
        for one, at in zip(values, chosen, strict=True)
    ]


def times(rng: np.random.Generator, rows: int, form: str = "%Y-%m-%dT%H:%M:%SZ") -> list[str]:
    at = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 200 * 1440, rows), unit="min")
    return list(at.strftime(form))


Make = Callable[[np.random.Generator, int], list[Any]]
VALUES: dict[str, Make] = {
    "normal": lambda rng, n: rng.normal(0, 3, n).round(3).tolist(),
    "whole": lambda rng, n: rng.integers(-5, 500, n).tolist(),
    "flag": lambda rng, n: rng.choice([True, False], n).tolist(),
    "yes": lambda rng, n: rng.choice(["yes", "no", "Yes", "NO"], n).tolist(),
    "city": lambda rng, n: rng.choice(["Oslo", "Bern", "oslo", "Łódź", "NA", "None"], n).tolist(),
    "many": lambda rng, n: [f"name {k}" for k in rng.integers(0, 10_000, n)],
    "order": lambda rng, n: list(range(n)),
    "digits": lambda rng, n: [str(10**19 + int(k)) for k in rng.integers(0, 10**6, n)],
    "zeros": lambda rng, n: [f"{k:05}" for k in rng.integers(0, 300, n)],
    "beyond": lambda rng, n: (16_777_216 + rng.integers(-2, 3, n)).tolist(),
    "huge": lambda rng, n: marks(rng, (rng.normal(0, 1, n) * 1e300).tolist(), 1.7e308, -1e308),
    "immense": lambda rng, n: (rng.normal(0, 1, n) * 5e149).tolist(),
    "minute": lambda rng, n: (rng.uniform(1, 2, n) * 1e-158).tolist(),
    "tiny": lambda rng, n: (rng.normal(0, 1, n) * 1e-300).tolist(),
    "special": lambda rng, n: marks(rng, rng.normal(0, 1, n).tolist(), float("inf"), float("nan")),
    "holes": lambda rng, n: marks(rng, rng.normal(0, 1, n).tolist(), None, "", "-", "n/a", share=0.5),
    "errors": lambda rng, n: marks(rng, rng.normal(0, 1, n).round(2).tolist(), "#DIV/0!", "#N/A"),
    "empty": lambda rng, n: [None] * n,
    "blank": lambda rng, n: rng.choice(["", " ", "\t"], n).tolist(),
    "same": lambda rng, n: ["same"] * n,
    "few": lambda rng, n: [*[1.5] * min(n, 3), *[None] * (n - 3)],
    "rare": lambda rng, n: [int(k == n // 2) for k in range(n)],
    "money": lambda rng, n: [f"R$ {k:,.2f}" for k in rng.gamma(2, 900, n)],
    "percent": lambda rng, n: [f"{k:.1f} %" for k in rng.uniform(0, 100, n)],
    "commas": lambda rng, n: [f"{k:.2f}".replace(".", ",") for k in rng.normal(0, 50, n)],
    "units": lambda rng, n: [f"{k:.1f} {'kg' if k > 3 else 'g'}" for k in rng.gamma(2, 3, n)],
    "time": times,
    "day": lambda rng, n: times(rng, n, "%d/%m/%Y"),
    "local": lambda rng, n: marks(rng, times(rng, n, "%Y-%m-%d %H:%M"), "2024-02-30", "soon", None),
    "epoch": lambda rng, n: (rng.integers(-9e7, 2e9, n) * 1000).tolist(),
    "ancient": lambda rng, n: marks(rng, times(rng, n), "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"),
    "clock": lambda rng, n: [f"{k // 60:02}:{k % 60:02}" for k in rng.integers(0, 1440, n)],
    "prose": lambda rng, n: [" ".join(rng.choice(["late", "the", "parcel", "broken", "was", "ünïcode", "it's"], 7)) for _ in range(n)],
    "mixed": lambda rng, n: marks(rng, rng.normal(0, 1, n).round(2).tolist(), "text", True, "3 apples", None, share=0.4),
    "quotes": lambda rng, n: rng.choice(['a "b"', "c'd", "e,f", "g\nh", "i;j", "<k>", "=1+1", "{}"], n).tolist(),
    "nul": lambda rng, n: rng.choice(["a\x01b", "c", "\ufeffd", "\u202ee", "f\u0301"], n).tolist(),
    "long": lambda rng, n: ["x" * int(k) for k in rng.integers(1, 3000, n)],
    "nested": lambda rng, n: [{"a": int(k)} if k % 2 else [int(k)] for k in rng.integers(0, 9, n)],
    "numbers as texts": lambda rng, n: [str(k) for k in rng.choice(["1", "1.0", "01", "1e0", "١", "½"], n)],
}  # fmt: skip
TIMES = ("time", "day", "local", "epoch", "ancient")
BINARY = ["flag", "yes", "rare", "city"]
TARGETS = {
    "binary": [*["two"] * 40, *BINARY, "whole", "empty", "same", "mixed", "special", "holes"],
    "multiclass": [*["three"] * 40, "city", "zeros", "many", "half", "quotes", "nul", "mixed", "empty", "flag", "beyond", "local"],
    "regression": [*["sum"] * 40, "normal", "huge", "tiny", "special", "money", "holes", "same", "commas", "city", "digits", "few", "time", "rare"],
}  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> tuple[dict[str, Any], str, dict[str, list[Any]]]:
    """A contract, a file's suffix, and a table with hostile names, types and values."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = int(rng.choice([160, 120, 90, 60, 5, 1], p=[0.3, 0.3, 0.2, 0.14, 0.03, 0.03]))
    task = draw(st.sampled_from(["binary", "multiclass", "regression"]))
    odd = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
    names = draw(st.lists(st.sampled_from(NAMES) | odd, min_size=2, max_size=7, unique=True))
    kinds = [draw(st.sampled_from(sorted(VALUES))) for _ in names[1:]]
    table = {name: VALUES[kind](rng, rows) for name, kind in zip(names[1:], kinds, strict=True)}
    signal = rng.normal(0, 1, rows)
    if rng.random() < 0.8:
        table["measure"] = (signal + rng.normal(0, 0.4, rows)).round(3).tolist()
    target = names[0]
    table[target] = _target(str(rng.choice(TARGETS[task])), signal, rng)
    contract = _contract(draw, task, target, dict(zip(names[1:], kinds, strict=True)))
    return contract, draw(st.sampled_from(["csv", "csv", "jsonl", "parquet"])), table


def _target(kind: str, signal: Any, rng: np.random.Generator) -> list[Any]:
    planted: dict[str, Any] = {
        "two": lambda: np.where(signal > 0.3, "yes", "no").tolist(),
        "three": lambda: rng.permuted(np.digitize(signal, [-0.5, 0.5])).astype(str).tolist()
        if len(signal) % 2 else np.array(["low", "None", "NA"])[np.digitize(signal, [-0.5, 0.5])].tolist(),
        "half": lambda: (np.clip(np.round(signal + 2), 0, 4) / 2).tolist(),
        "sum": lambda: (signal * 10 + 50).round(2).tolist(),
    }  # fmt: skip
    return list(planted[kind]()) if kind in planted else VALUES[kind](rng, len(signal))


def _contract(draw: st.DrawFn, task: str, target: str, kinds: dict[str, str]) -> dict[str, Any]:
    """A contract for such a table; at times it names a time, a key or a column's type."""
    metric = draw(st.sampled_from(METRICS[task]))
    low = metric in ("rmse", "mae", "log_loss")
    contract: dict[str, Any] = {
        "name": "any-table", "statement": "What is to be told of any table at all?", "task": task,
        "target": target, "objective": {"metric": metric, "threshold": 1e-3 if low else 0.95},
        "sources": [{"name": "any", "kind": "s3", "primary": True}], **FAST,
        "exploration": {**FAST["exploration"], "candidates": [draw(st.sampled_from(CANDIDATES[task]))]},
    }  # fmt: skip
    columns = sorted(kinds)
    timed = [name for name in columns if kinds[name] in TIMES] or columns[
        : draw(st.integers(0, 9)) // 9
    ]
    if timed and draw(st.booleans()):
        contract["event_time"] = _quoted(draw(st.sampled_from(timed)))
    if draw(st.integers(0, 4)) == 4:
        contract["entity_key"] = [draw(st.sampled_from(columns))]
    if draw(st.integers(0, 7)) == 7:
        kind = draw(st.sampled_from(["int", "float", "category", "text", "timestamp", "bool"]))
        rules = {draw(st.sampled_from(columns)): {"type": kind}}
        contract["quality"] = {**FAST["quality"], "columns": rules}
    if draw(st.integers(0, 4)) == 4:
        contract["features"] = {**FAST["features"], "exclude": [draw(st.sampled_from(columns))]}
    return contract


def _quoted(name: str) -> str:
    return name if name.isidentifier() else '"' + name.replace('"', '""') + '"'


def written(suffix: str, table: dict[str, list[Any]]) -> bytes:
    """The table as a file; what a format cannot hold is written as text."""
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    if suffix == "jsonl":
        return "\n".join(json.dumps(row) for row in rows).encode()
    if suffix == "parquet":
        return _parquet(table)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table)
    writer.writerows([["" if one is None else one for one in row.values()] for row in rows])
    return text.getvalue().encode()


def _parquet(table: dict[str, list[Any]]) -> bytes:
    columns = {}
    for name, values in table.items():
        try:
            columns[name] = pa.array(values)
        except (pa.ArrowException, OverflowError):
            columns[name] = pa.array([None if one is None else str(one) for one in values])
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()
