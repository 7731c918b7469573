"""ListBatchParts and FinishBatch: what is to be answered, and what all of it came to."""

from collections.abc import Mapping, Sequence
from typing import Any

from noria.batch.batch_step import BatchStep, Document
from noria.common.messages import comma_list
from noria.core.model.batch_counts import added
from noria.errors import BatchError
from noria.lifecycle.stage_logging import note

SHOWN = 3
GO_ON = "the same request again goes on from there"


def list_parts(step: BatchStep) -> Document:
    """Name the parts of all files; BatchError where a file was not read, or none is a table."""
    files = _files(step)
    parts = [{"number": file["number"], "part": part}
             for file in files for part in range(file["parts"])]  # fmt: skip
    if not parts:
        told = comma_list([str(file["unreadable"]) for file in files], SHOWN)
        raise BatchError(f"none of the batch's files can be read: {told}")
    step.store.put_json(step.keys.parts, parts)
    return {"key": step.keys.parts, "count": len(parts)}


def finish(step: BatchStep) -> Document:
    """Write the manifest, and say what the batch came to; BatchError where a part has no answers.

    The manifest of a batch that was finished before stays as it is.
    """
    known = step.store.get_json(step.keys.manifest, None)
    if known is not None:
        return _summary(step, known, resumed=known["counts"]["parts"])
    files = _files(step)
    counted = _counted(step, files)
    manifest = {
        **{name: value for name, value in step.plan.items() if name != "files"},
        "counts": {
            "files": len(files),
            "unreadable": sum("unreadable" in file for file in files),
            "parts": len(counted),
            **added(counted.values()),
        },
        "files": [_described(step, file, counted) for file in files],
    }
    step.store.put_json(step.keys.manifest, manifest)
    resumed = sum(one["execution"] != step.execution for one in counted.values())
    return _summary(step, manifest, resumed)


def _files(step: BatchStep) -> list[Document]:
    planned = step.plan["files"]
    keys = [step.keys.file(file["number"]) for file in planned]
    found = step.store.get_all_json(keys, None)
    lost = [file for file, one in zip(planned, found, strict=True) if one is None]
    if lost:
        causes = [_cause(step, file["name"], file["number"], None) for file in lost[:SHOWN]]
        raise BatchError(
            f"{len(lost)} of {len(planned)} files were not read ({comma_list(causes, SHOWN)}); "
            f"{GO_ON}"
        )
    return found


def _counted(step: BatchStep, files: Sequence[Document]) -> dict[tuple[int, int], Document]:
    wanted = [(file["number"], part) for file in files for part in range(file["parts"])]
    documents = step.store.get_all_json([step.keys.counted(*one) for one in wanted], None)
    counted = dict(zip(wanted, documents, strict=True))
    lost = [one for one in wanted if counted[one] is None]
    if lost:
        names = {file["number"]: file["name"] for file in files}
        causes = [_cause(step, names[number], number, part) for number, part in lost[:SHOWN]]
        raise BatchError(
            f"{len(lost)} of {len(wanted)} parts are not answered ({comma_list(causes, SHOWN)}); "
            f"{GO_ON}"
        )
    return counted


def _cause(step: BatchStep, name: str, number: int, part: int | None) -> str:
    told = step.store.get_json(step.keys.failure(number, part), None)
    place = name if part is None else f"{name}, part {part}"
    return f"{place}: {told['cause'] if told else 'its function failed; see its log'}"


def _described(
    step: BatchStep, file: Mapping[str, Any], counted: Mapping[tuple[int, int], Document]
) -> Document:
    numbers = [(file["number"], part) for part in range(file["parts"])]
    told = {name: value for name, value in file.items() if name not in ("number", "parts")}
    answers = [step.keys.answers(*one).rpartition("/")[2] for one in numbers]
    return {**told, **added(counted[one] for one in numbers), "answers": answers}


def _summary(step: BatchStep, manifest: Mapping[str, Any], resumed: int) -> Document:
    counts = manifest["counts"]
    note(rows_out=counts["answered"])
    numbers = {name: value for name, value in counts.items() if name != "reasons"}
    return {
        "batch": manifest["batch"],
        "model_version": manifest["model_version"],
        **numbers,
        "resumed": resumed,
        "manifest": step.store.uri(step.keys.manifest),
    }
