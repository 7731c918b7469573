"""The flights of 2013 in a folder that stands for a stack's bucket, as often as asked for.

    python -m tests.bench.flights FOLDER MONTHS [SOURCE ...]

More than twelve months are the year again, a year later each time, so that keys stay unique. A
process of its own: what it holds in memory must not count as a measured child's (see measuring).
"""

import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from infra.cli.demo_data import write_flights
from noria.contracts import Problem

CONTRACT = Path(__file__).parents[2] / "infra" / "problems" / "flight_delays.yaml"
EXECUTION = "bench"
TIME = "time_hour"  # the last column of flights and weather
UNLIMITED = 10**9


def main(folder: Path, months: int, sources: Sequence[str]) -> dict[str, Any]:
    """Write the files of all sources and the run's contract, as DefineProblem would."""
    problem = contract(sources)
    wanted = {source.name for source in problem.sources}
    years, rest = divmod(months, 12)
    for later in range(years + bool(rest)):
        _write_year(folder, later, range(1, 13 if later < years else rest + 1), wanted)
    document = folder / "runs" / EXECUTION / "problem.json"
    document.parent.mkdir(parents=True)
    document.write_text(json.dumps(problem.to_document()))
    return {"sources": sorted(wanted)}


def contract(sources: Sequence[str] = ()) -> Problem:
    """The flights' contract, cut to some of its sources, with no limit to what Lambda takes."""
    document = Problem.load(CONTRACT).to_document()
    if sources:
        document["sources"] = [item for item in document["sources"] if item["name"] in sources]
    return Problem.parse({**document, "scaling": {"lambda_rows": UNLIMITED}})


def _write_year(folder: Path, later: int, months: Sequence[int], wanted: AbstractSet[str]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        for source, files in write_flights(Path(temporary), months).items():
            if source not in wanted:
                continue
            target = folder / "incoming" / source
            target.mkdir(parents=True, exist_ok=True)
            for file in files:
                lines = _later(file, later)
                if lines:
                    (target / f"{later:02d}-{file.name}").write_text("".join(lines))


def _later(file: Path, years: int) -> list[str]:
    """A file's lines with `year` and `time_hour` moved; without a time there is nothing new."""
    header, *lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    if not years:
        return [header, *lines]
    names = header.strip().split(",")
    return [header, *map(_mover(names.index("year"), years), lines)] if TIME in names else []


def _mover(year: int, years: int) -> Callable[[str], str]:
    def moved(line: str) -> str:
        fields = line.split(",")
        fields[year] = str(int(fields[year]) + years)
        fields[-1] = f"{int(fields[-1][:4]) + years}{fields[-1][4:]}"
        return ",".join(fields)

    return moved


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])))
