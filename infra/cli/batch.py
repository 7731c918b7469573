"""`noria predict --batch`: files that the batch machine answers, followed and fetched."""

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from infra.cli.batch_progress import BatchProgress
from infra.cli.deployed_stack import StackAccess
from infra.cli.errors import FAILED, UsageMistakeError
from infra.cli.executions import RUNNING, SUCCEEDED, begin, state_output
from infra.cli.run_records import Bucket, shown_path
from infra.cli.tables import Columns, print_table
from noria.common.batch_keys import ANSWERS, INCOMING, BatchKeys
from noria.common.messages import comma_list, counted
from noria.lifecycle.environment import message_of

POLL_SECONDS = 2.0
NAME_LENGTH = 20  # hexadecimal digits
COLUMNS = Columns(("file", "rows", "answered", "refused", "most frequent reason"),
                  wrapped="most frequent reason")  # fmt: skip


def predict_batch(
    access: StackAccess, files: str, output: Path | None, *, as_json: bool = False
) -> None:
    """Answer files, follow the machine, and print what came of each file and where it is."""
    if output is not None and output.is_file():
        raise UsageMistakeError(f"--output '{output}' is a file; name a folder")
    bucket = Bucket(access.client("s3"), access.bucket)
    console = Console(stderr=as_json)
    source = _in_bucket(files, bucket) if files.startswith("s3://") else _uploaded(files, bucket)
    states = access.client("stepfunctions")
    listed = _digest(json.dumps(bucket.etags(source.removeprefix(f"s3://{bucket.name}/"))))
    arn = begin(states, access.output("BatchMachineArn"), {"source": source},
                lambda attempt: f"batch-{listed}-{attempt}")  # fmt: skip
    _say(console, f"batch of {source}: execution {arn.rpartition(':')[2]}")
    ended = _follow(states, bucket, arn, console)
    if ended["status"] != SUCCEEDED:
        told = message_of(ended.get("cause", ""))
        _say(console, f"{ended.get('error', ended['status'])}: {told}")
        raise typer.Exit(FAILED)
    summary = json.loads(ended["output"])
    _show(console, bucket, summary)
    if output is not None:
        _fetch(bucket, summary["batch"], output)
        _say(console, f"answers: {shown_path(output.resolve())}")
    if as_json:
        print(json.dumps(summary, indent=2))
    if summary["unreadable"]:
        raise typer.Exit(FAILED)


def _in_bucket(address: str, bucket: Bucket) -> str:
    place = f"s3://{bucket.name}/{INCOMING}"
    if not address.startswith(place) or address == place:
        raise UsageMistakeError(
            f"--batch '{address}': the stack reads below {place} only; copy the files there "
            f"(`aws s3 cp --recursive {address} {place}NAME/`), or name local ones"
        )
    return address


def _uploaded(given: str, bucket: Bucket) -> str:
    """Upload a file, or the files of a folder, under a name that their contents make."""
    path = Path(given).expanduser()
    files = dict(_local_files(path))
    if not files:
        raise UsageMistakeError(
            f"--batch '{given}': there is {'no file in it' if path.is_dir() else 'no such file'}; "
            "name a file, a folder or s3://BUCKET/batch-incoming/..."
        )
    digests = {name: _digest_of(file) for name, file in files.items()}
    folder = f"{INCOMING}{_digest(json.dumps(digests))}/"
    there = set(bucket.keys(folder))
    for name, file in files.items():
        if f"{folder}{name}" not in there:
            bucket.upload(file, f"{folder}{name}")
    return f"s3://{bucket.name}/{folder}"


def _local_files(path: Path) -> Iterator[tuple[str, Path]]:
    """Files by their path below a folder; hidden ones are none."""
    if path.is_file():
        yield path.name, path
    for file in sorted(path.rglob("*")) if path.is_dir() else []:
        parts = file.relative_to(path).parts
        if file.is_file() and not any(part.startswith(".") for part in parts):
            yield "/".join(parts), file


def _digest_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:NAME_LENGTH]


def _follow(states: Any, bucket: Bucket, arn: str, console: Console) -> dict[str, Any]:
    """Show how many files and parts are done until the execution ends; returns its description."""
    left: dict[str, Any] = {}
    with BatchProgress(console) as progress:
        while True:
            status: dict[str, Any] = states.describe_execution(executionArn=arn)
            if "parts" not in left:
                left = (state_output(states, arn, "ListBatchParts")
                        or state_output(states, arn, "PlanBatch"))  # fmt: skip
            if left:
                _tell(progress, bucket, left)
            if status["status"] != RUNNING:
                return status
            time.sleep(POLL_SECONDS)


def _tell(progress: BatchProgress, bucket: Bucket, left: Mapping[str, Any]) -> None:
    plan, parts = left["plan"], left.get("parts")
    keys = BatchKeys(plan["batch"])
    if plan["done"]:
        return
    if parts is None:
        progress.files(len(bucket.keys(keys.files_read)), plan["count"])
    else:
        progress.parts(len(bucket.keys(keys.counts)), parts["count"])


def _show(console: Console, bucket: Bucket, summary: Mapping[str, Any]) -> None:
    manifest = bucket.json(BatchKeys(summary["batch"]).manifest)
    print_table(COLUMNS, [_row(file) for file in manifest["files"]], console)
    for file in manifest["files"]:
        if file.get("missing_columns"):
            named = comma_list(file["missing_columns"])
            _say(console, f"{file['name']} lacks {named}: its rows were answered without")
    earlier = f"; {summary['resumed']} of them before" if summary["resumed"] else ""
    _say(
        console,
        f"{counted(summary['rows'], 'row')}: {summary['answered']:,} answered by model "
        f"{summary['model_version']}, {summary['refused']:,} refused, in "
        f"{counted(summary['parts'], 'part')}{earlier}",
    )
    _say(console, f"s3://{bucket.name}/{ANSWERS}{summary['batch']}/")


def _say(console: Console, text: str) -> None:
    """Print what a person may copy: never folded."""
    console.print(escape(text), highlight=False, soft_wrap=True)


def _row(file: Mapping[str, Any]) -> dict[str, str]:
    reasons = [one["reason"] for one in file["reasons"]]
    return {
        "file": file["name"],
        **{name: f"{file[name]:,}" for name in ("rows", "answered", "refused")},
        "most frequent reason": file.get("unreadable", reasons[0] if reasons else ""),
    }


def _refuse_others(folder: Path, batch: str) -> None:
    """Refuse a folder with parts of another batch: who reads all parts there would mix them."""
    manifest = folder / "manifest.json"
    held = json.loads(manifest.read_text(encoding="utf-8"))["batch"] if manifest.exists() else None
    if held != batch and any(folder.glob("part-*.parquet")):
        whose = f"of batch {held}" if held else "of a download that broke off"
        raise UsageMistakeError(
            f"--output '{folder}' holds answers {whose}: empty it, or name another folder, and run "
            "the same command again"
        )


def _fetch(bucket: Bucket, batch: str, folder: Path) -> None:
    """Download a batch's answers and its manifest, which comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    _refuse_others(folder, batch)
    prefix = f"{ANSWERS}{batch}/"
    for key in sorted(bucket.keys(prefix), key=lambda key: (key.endswith(".json"), key)):
        (folder / key.removeprefix(prefix)).write_bytes(bucket.get(key) or b"")
