"""`noria data`: files for a stack's sources."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.errors import UsageMistakeError
from infra.cli.files import Files, refuse_unwanted
from infra.cli.options import Local, StackName, source_files

app = typer.Typer(no_args_is_help=True, help="Data: files for a stack's sources.")
SAMPLES = ("flights",)


@app.callback()
def data() -> None:
    """Data: files for a stack's sources."""


@app.command()
def push(
    stack: StackName,
    files: Annotated[
        list[str] | None, typer.Argument(metavar="SOURCE=FILE", help="Files to upload.")
    ] = None,
    sample: Annotated[
        str | None, typer.Option(help="Push a sample instead: flights (New York, 2013).")
    ] = None,
    months: Annotated[str, typer.Option(help="Months of the sample, such as 1-3.")] = "1-3",
    local: Local = None,
) -> None:
    """Upload files to incoming/SOURCE/ of a stack's bucket, where the next run collects them.

    Nothing is uploaded where one of them is for no s3 source of the deployed contract.
    """
    if bool(files) == bool(sample):
        raise UsageMistakeError("give files as SOURCE=FILE, or --sample flights")
    if sample and sample not in SAMPLES:
        raise UsageMistakeError(f"--sample {sample}: there is {', '.join(SAMPLES)}")
    given = source_files(files or [], "file")
    span = month_range(months)
    from infra.cli.demo_data import write_flights
    from infra.cli.deployed_stack import StackAccess

    access = StackAccess.open(stack, local=local)
    with tempfile.TemporaryDirectory(prefix="noria-sample-") as folder:
        found = given or write_flights(Path(folder), span)
        _check_sources(access, found)
        _upload(access, found)


def _check_sources(access: Any, files: Files) -> None:
    """Refuse files for what is no s3 source of the deployed contract, where that can be read."""
    contract = access.readable_contract("sources are not checked")
    if contract is not None:
        refuse_unwanted(contract, files)


def _upload(access: Any, files: Files) -> None:
    from infra.cli.run_records import Bucket

    bucket = Bucket(access.client("s3"), access.bucket)
    for source, paths in files.items():
        for path in paths:
            key = f"incoming/{source}/{path.name}"
            bucket.upload(path, key)
            print(f"s3://{access.bucket}/{key}")


def month_range(text: str) -> range:
    """Parse 1-3 or 4 into months."""
    first, _, last = text.partition("-")
    try:
        months = range(int(first), int(last or first) + 1)
    except ValueError as error:
        raise UsageMistakeError(f"--months '{text}': write such as 1-3, or 4") from error
    if not months or months[0] < 1 or months[-1] > 12:
        raise UsageMistakeError(f"--months '{text}': months go from 1 to 12, the first first")
    return months
