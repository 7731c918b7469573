"""The first execution beside one plain Python script for the same work."""

import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from infra.cli.demo_data import write_flights
from tests.bench.measuring import Measured, measure, median

PLAIN = str(Path(__file__).with_name("plain.py"))
LIMIT = 3.0
NOTE = """\
Wall clock of whole processes on this machine, in this run; layers, bytecode and template built
before. Both read the same files (January to March, 81,000 flights), join weather, planes and
airlines, cleanse, explore four candidates with the same parameters on the same 20,000 rows in the
same three folds, train the best on all training rows and score the latest 20 %. The execution also
profiles the data, decides whether ML is needed (permutation test, baselines), writes the feature
store and the reports, exports to ONNX, checks its parity and deploys; the plain script does not.
An execution includes its functions' imports, but for what warm-up did since the deployment."""


def compare(console: Console, repeat: int) -> None:
    """Measure, and print a table of ratios."""
    with tempfile.TemporaryDirectory(prefix="noria-bench-") as folder:
        write_flights(Path(folder), (1, 2, 3))
        machine, scripts, one = [], [], []
        measure(["-m", "tests.bench.first_execution", folder])  # builds whatever is not built
        for _ in range(repeat):
            scripts.append(measure([PLAIN, folder, "compare"]))
            one.append(measure([PLAIN, folder, "one"]))
            machine.append(measure(["-m", "tests.bench.first_execution", folder]))
    console.print(NOTE, highlight=False)
    console.print(_table(machine, scripts, one))


def _table(machine: list[Measured], compare: list[Measured], one: list[Measured]) -> Table:
    plain = median(compare, lambda run: run.seconds)
    single = median(one, lambda run: run.seconds)
    execution = median(machine, lambda run: run.found["execution"])
    whole = median(machine, lambda run: run.seconds)
    table = Table("", "seconds", "x plain script", "x script with one model", "ROC AUC")
    rows = [
        ("plain script, four candidates", plain, compare),
        ("plain script, one model", single, one),
        (f"first execution (at most {LIMIT:g})", execution, machine),
        ("the same with synth check, cloud start and end", whole, machine),
    ]
    for name, seconds, runs in rows:
        ratios = (f"{seconds / plain:.2f}", f"{seconds / single:.2f}")
        table.add_row(name, f"{seconds:.1f}", *ratios, str(runs[-1].found["roc_auc"]))
    return table
