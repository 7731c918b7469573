"""Files for a contract's sources: which take some, and a contract rewritten to read them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from infra.cli.errors import UsageMistakeError
from noria.common.messages import nearest
from noria.contracts import Problem, Source
from noria.contracts.sources import FORMAT_OF_SUFFIX

PACKED = (".gz", ".zip")
Files = Mapping[str, Sequence[Path]]


def with_files(problem: Problem, files: Files) -> Problem:
    """The contract with every source that has files read from S3, whatever it was.

    Raises UsageMistakeError for files of no source and for a source that has neither.
    """
    refuse_unknown(files, [source.name for source in problem.sources], "--data", "sources")
    for source in problem.sources:
        if source.kind == "s3" and source.name not in files:
            raise UsageMistakeError(
                f"source '{source.name}' has no file: add --data {source.name}=FILE"
            )
    document = problem.to_document()
    document["sources"] = [
        _from_files(source, entry, files.get(source.name, ()))
        for source, entry in zip(problem.sources, document["sources"], strict=True)
    ]
    return Problem.parse(document)


def refuse_unwanted(problem: Problem, names: Iterable[str]) -> None:
    """Refuse files for what is no source, or one that fetches its rows itself."""
    kinds = {source.name: source.kind for source in problem.sources}
    wanted = [name for name, kind in kinds.items() if kind == "s3"]
    there = f"the s3 sources are {', '.join(wanted)}" if wanted else "it has no s3 source"
    for name in names:
        if name in kinds and kinds[name] != "s3":
            raise UsageMistakeError(
                f"{name}: is a source of kind {kinds[name]} in contract '{problem.name}', which "
                f"fetches its rows itself; {there}"
            )
        refuse_unknown([name], wanted, name, "s3 sources")


def refuse_unknown(given: Iterable[str], names: Sequence[str], what: str, kind: str) -> None:
    """Refuse a name that is no source's; UsageMistakeError names those there are."""
    for name in given:
        if name in names:
            continue
        close = nearest(name, names)
        meant = f"did you mean '{close}'? " if close else ""
        there = f"the {kind} are {', '.join(names)}" if names else f"it has no {kind}"
        place = what if what == name else f"{what} {name}"
        raise UsageMistakeError(f"{place}: the contract has no such source; {meant}{there}")


def _from_files(source: Source, entry: dict[str, Any], files: Sequence[Path]) -> dict[str, Any]:
    if not files:
        return entry
    kept = {name: entry[name] for name in ("name", "primary", "join", "format") if name in entry}
    suffixes = [s.lower() for s in files[0].suffixes if s.lower() not in PACKED]
    known = FORMAT_OF_SUFFIX.get(suffixes[-1].lstrip(".")) if suffixes else None
    if known and "format" in kept:
        kept["format"] = known
    return kept | {"kind": "s3"}
